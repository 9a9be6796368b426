import { unknownName } from "../core/index.js";
import { berkeleyLab } from "./berkeley.js";
import { bullyLab } from "./bully.js";
import { calculatorLab } from "./calculator.js";
import { causalBroadcastLab } from "./causal-broadcast.js";
import { chatLab } from "./chat.js";
import { changRobertsLab } from "./chang-roberts.js";
import { coordinatorLab } from "./coordinator.js";
import { helloLab } from "./hello.js";
import { hirschbergSinclairLab } from "./hirschberg-sinclair.js";
import type { Lab } from "./lab.js";
import { randomNumbersLab } from "./random-numbers.js";
import { cristianLab } from "./cristian.js";
import { ntpLab } from "./ntp.js";
import { lamportLab } from "./lamport.js";
import { maekawaLab } from "./maekawa.js";
import { raymondLab } from "./raymond.js";
import { ricartAgrawalaLab } from "./ricart-agrawala.js";
import { roucairolCarvalhoLab } from "./roucairol-carvalho.js";
import { suzukiKasamiLab } from "./suzuki-kasami.js";
import { tokenRingLab } from "./token-ring.js";
import { vectorClocksLab } from "./vector-clocks.js";

/** Every lab that comes with Lightcone, in the order a newcomer meets them. */
export const labs: readonly Lab[] = [
  ricartAgrawalaLab,
  causalBroadcastLab,
  vectorClocksLab,
  helloLab,
  calculatorLab,
  randomNumbersLab,
  chatLab,
  berkeleyLab,
  cristianLab,
  ntpLab,
  lamportLab,
  roucairolCarvalhoLab,
  suzukiKasamiLab,
  raymondLab,
  maekawaLab,
  tokenRingLab,
  coordinatorLab,
  changRobertsLab,
  hirschbergSinclairLab,
  bullyLab,
];

/** The lab of that id; throws a `UsageError` that names the nearest. */
export function findLab(id: string): Lab {
  const found = labs.find((lab) => lab.id === id);
  if (found === undefined)
    throw unknownName(
      "lab",
      id,
      labs.map((lab) => lab.id),
    );
  return found;
}
