import { UsageError, type ProcessId } from "../../core/index.js";

/** Whom each process must ask, itself included: any two of these sets have a process in common. */
export type Quorums = Readonly<Record<ProcessId, readonly ProcessId[]>>;

/**
 * Residues such that every difference modulo the key occurs once: lines of a finite projective plane, for K(K-1)+1
 * processes with K-1 a prime power. Source: J. Singer, "A Theorem in Finite Projective Geometry", 1938.
 */
const PERFECT_DIFFERENCES: Readonly<Record<number, readonly number[]>> = {
  3: [0, 1],
  7: [0, 1, 3],
  13: [0, 1, 3, 9],
  21: [0, 1, 4, 14, 16],
  31: [0, 1, 3, 8, 12, 18],
  57: [0, 1, 3, 13, 32, 36, 43, 52],
};

/**
 * Quorums of equal size, each with its own process in it: about √n where there is a projective plane of n points, else
 * about 2√n.
 *
 * Process i asks i + d for each d of a set whose differences give every residue, so that any two such sets meet. Where
 * no plane is known that set is r consecutive numbers and every r-th, r = ⌈√n⌉, in place of Maekawa's degenerate
 * planes. Source: W.-S. Luk, T.-T. Wong, "Two New Quorum Based Algorithms for Distributed Mutual Exclusion", ICDCS 1997.
 */
export function cyclicQuorums(processes: readonly ProcessId[]): Quorums {
  const n = processes.length;
  const offsets = PERFECT_DIFFERENCES[n] ?? differenceCover(n);
  const asked = (place: number) => offsets.flatMap((offset) => processes[(place + offset) % n] ?? []);
  return Object.fromEntries(processes.map((process, place) => [process, asked(place)]));
}

function differenceCover(n: number): readonly number[] {
  const r = Math.ceil(Math.sqrt(n));
  const residues = Array.from({ length: n }, (_, k) => k);
  return residues.filter((k) => k < r || k % r === 0);
}

/**
 * Reads `P1 P2 | P2 P3 | P1 P3`: whom the first, the second, … process asks. Throws a {@link UsageError} when there are
 * not as many sets as processes, when one names a stranger or the same twice, or when two do not meet.
 */
export function parseQuorums(text: string, processes: readonly ProcessId[]): Quorums {
  const sets = text.split("|").map((set) => set.split(/[\s,]+/).filter((name) => name !== ""));
  if (sets.length !== processes.length) {
    throw new UsageError(
      `${sets.length} quorums for ${processes.length} processes; give one for each, such as "P1 P2 | P2 P3 | P1 P3"`,
    );
  }
  const quorums = Object.fromEntries(processes.map((process, place) => [process, sets[place] ?? []]));
  checkQuorums(quorums, processes);
  return quorums;
}

/** Throws a {@link UsageError} that names the first set which is none, or the first two that do not meet. */
export function checkQuorums(quorums: Quorums, processes: readonly ProcessId[]): void {
  const of = (process: ProcessId) => quorums[process] ?? [];
  for (const process of processes) {
    const quorum = of(process);
    const stranger = quorum.find((name) => !processes.includes(name));
    if (stranger !== undefined)
      throw new UsageError(`the quorum of ${process} names ${stranger}; known: ${processes.join(", ")}`);
    if (quorum.length === 0) throw new UsageError(`the quorum of ${process} is empty; name whom it must ask`);
    const twice = quorum.find((name, place) => quorum.indexOf(name) !== place);
    if (twice !== undefined)
      throw new UsageError(`the quorum of ${process} names ${twice} twice; name everybody once`);
  }
  for (const a of processes) {
    for (const b of processes) {
      if (of(a).some((name) => of(b).includes(name))) continue;
      throw new UsageError(
        `the quorums of ${a} (${of(a).join(" ")}) and ${b} (${of(b).join(" ")}) do not intersect, so both could ` +
          `be let in at once; give them a process in common`,
      );
    }
  }
}
