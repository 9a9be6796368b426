import { createHash } from "node:crypto";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../core/index.js";
import { ChatHistory, HistoryError } from "./chat-history.js";
import { messageOf, safeText } from "./errors.js";
import { makeFolder } from "./make-folder.js";
import { ProcessLock } from "./process-lock.js";

const SUFFIX = ".room";

/**
 * Where a chat's histories last: a private folder with a file for each room, and a lock that names the process which
 * has it. A lock of a process that died is taken over.
 */
export class ChatFolder implements Disposable {
  readonly path: string;

  readonly #lock: ProcessLock;

  private constructor(path: string, lock: ProcessLock) {
    this.path = path;
    this.#lock = lock;
  }

  /** Makes it, mode 0700, when there is none. Throws `UsageError` when it is no folder, or somebody else serves from it. */
  static open(path: string): ChatFolder {
    try {
      makeFolder(path);
    } catch (error) {
      throw new UsageError(
        `${safeText(path)} cannot hold a chat's histories: ${safeText(messageOf(error), 300)}`,
        {
          path,
        },
      );
    }
    return new ChatFolder(path, ProcessLock.take(join(path, "lock"), safeText(path)));
  }

  /** Reads every history there is; `report` is told of repairs. Rejects with `HistoryError`. */
  async histories(report: (line: string) => void): Promise<readonly ChatHistory[]> {
    const histories: ChatHistory[] = [];
    for (const name of readdirSync(this.path).toSorted()) {
      if (!name.endsWith(SUFFIX)) continue;
      const path = join(this.path, name);
      // Made, but nothing of it written: no message was ever in it.
      if (statSync(path).size === 0) {
        rmSync(path);
        continue;
      }
      const { history, repaired } = await ChatHistory.open(path);
      if (repaired !== undefined) report(safeText(repaired));
      if (this.fileOf(history.room) !== path) {
        await history.close();
        throw new HistoryError(
          "history-damaged",
          `${safeText(path)} is the history of another room; give it its own name`,
        );
      }
      histories.push(history);
    }
    return histories;
  }

  /** The file of a room: its name with what is unusual written as %41, or a hash of it when that is too long. */
  fileOf(room: string): string {
    const name = encodeURIComponent(room);
    const file = name.length <= 200 ? name : createHash("sha256").update(room).digest("hex");
    return join(this.path, `${file}${SUFFIX}`);
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}
