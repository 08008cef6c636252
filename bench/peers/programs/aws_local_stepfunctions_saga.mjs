// The state machine on aws-local-stepfunctions, which keeps everything in memory: node ... DEFINITION
import { readFileSync } from "node:fs";
import { StateMachine } from "aws-local-stepfunctions";
import { abort, CLOUDS, commit, create, describe, recordIntent, remove } from "./activities.mjs";
import { serve } from "./load.mjs";

const machine = new StateMachine(JSON.parse(readFileSync(process.argv[2], "utf8")));
const taskResourceLocalHandlers = { Commit: commit, Abort: abort };
for (const cloud of CLOUDS) {
  taskResourceLocalHandlers[`Intent_${cloud}`] = recordIntent;
  taskResourceLocalHandlers[`Create_${cloud}`] = create;
  taskResourceLocalHandlers[`Describe_${cloud}`] = describe;
  taskResourceLocalHandlers[`Delete_${cloud}`] = remove;
}

await serve({
  run: async (saga, fail) => {
    try {
      await machine.run({ saga, fail }, { overrides: { taskResourceLocalHandlers } }).result;
      return "COMMITTED";
    } catch (error) {
      if (fail) return "ROLLED_BACK";
      throw error;
    }
  },
});
