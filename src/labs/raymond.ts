import { explained, messagesPerEntry } from "../checkers/index.js";
import { raymond, raymondNarration, treeDiameter, TREE_SHAPES } from "../protocols/index.js";
import { mutexLab } from "./mutex-lab.js";

/** Mutual exclusion by a privilege that travels along a tree. */
export const raymondLab = mutexLab({
  id: "raymond",
  title: "Mutual exclusion along a tree",
  summary:
    "The processes form a tree, and each knows its neighbours alone and in which direction the privilege is. " +
    "Requests go that way, hop by hop, and the privilege comes back the same way, turning the tree towards itself.",
  protocol: (run) => raymond(String(run.options["tree"])),
  links: "reliable",
  options: [
    { name: "tree", summary: `shape of the tree: ${TREE_SHAPES.join(", ")}`, kind: "text", usual: "binary" },
  ],
  checkers: [
    messagesPerEntry("0…2D (D: the tree's diameter)", (processes, { tree }) => ({
      min: 0,
      max: 2 * treeDiameter(String(tree ?? "binary"), processes),
    })),
  ],
  witnesses: [explained("privilege-passed", "the privilege went to a neighbour", ["raymond.pass"])],
  guide: [
    {
      text: "Five real processes in a binary tree; follow the privilege along its edges.",
      command: "lightcone run raymond -n 5",
    },
    {
      text: "In a star an entry costs at most 4 messages, however many processes there are.",
      command: "lightcone sim raymond -n 7 --seed 1 --tree star --entries 1",
    },
    {
      text: "Two thousand schedules, each with its own losses and delays: the same property holds in all of them.",
      command: "lightcone sim raymond -n 4 --seeds 2000 --faults 'loss 10%, duplicate 10%, reorder 10%'",
    },
  ],
  narration: raymondNarration,
});
