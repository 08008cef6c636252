// The saga as Restate services. `stages` runs each stage of all clouds together; `branches` gives each cloud a service
// call of its own, so that no cloud waits for another. PORT in the environment is where Restate finds it.
import * as restate from "@restatedev/restate-sdk";
import { abort, CLOUDS, commit, create, describe, recordIntent, remove } from "./activities.mjs";

const terminally = (action) => async () => {
  try {
    return await action();
  } catch (error) {
    throw new restate.TerminalError(error.message);
  }
};

async function end(ctx, saga, ready) {
  if (CLOUDS.every((cloud) => ready[cloud])) {
    await ctx.run("commit", () => commit({ saga }));
    return "COMMITTED";
  }
  for (const cloud of [...CLOUDS].reverse()) {
    if (ready[cloud]) await ctx.run("delete", () => remove({ saga, cloud }));
  }
  await ctx.run("abort", () => abort({ saga }));
  return "ROLLED_BACK";
}

const branch = restate.service({
  name: "branch",
  handlers: {
    run: async (ctx, { saga, cloud, fail }) => {
      try {
        await ctx.run("record_intent", () => recordIntent({ saga, cloud }));
        await ctx.run("create", terminally(() => create({ saga, cloud, fail })));
        for (let n = 0; ; ) {
          const answer = await ctx.run("describe", () => describe({ n }));
          n = answer.n;
          if (answer.ready) return true;
        }
      } catch (error) {
        if (error instanceof restate.TerminalError) return false;
        throw error;
      }
    },
  },
});

const branches = restate.service({
  name: "branches",
  handlers: {
    run: async (ctx, { saga, fail }) => {
      const calls = CLOUDS.map((cloud) => ctx.serviceClient(branch).run({ saga, cloud, fail }));
      const outcomes = await restate.RestatePromise.all(calls);
      return end(ctx, saga, Object.fromEntries(CLOUDS.map((cloud, index) => [cloud, outcomes[index]])));
    },
  },
});

const stages = restate.service({
  name: "stages",
  handlers: {
    run: async (ctx, { saga, fail }) => {
      const all = (clouds, name, action) => clouds.map((cloud) => ctx.run(name, action(cloud)));
      await restate.RestatePromise.all(all(CLOUDS, "record_intent", (cloud) => () => recordIntent({ saga, cloud })));
      const created = await restate.RestatePromise.allSettled(
        all(CLOUDS, "create", (cloud) => terminally(() => create({ saga, cloud, fail }))),
      );
      let waiting = CLOUDS.filter((_, index) => created[index].status === "fulfilled");
      const ready = Object.fromEntries(waiting.map((cloud) => [cloud, true]));
      for (let n = 0; waiting.length > 0; n += 1) {
        const asked = n;
        const answers = await restate.RestatePromise.all(all(waiting, "describe", () => () => describe({ n: asked })));
        waiting = waiting.filter((_, index) => !answers[index].ready);
      }
      return end(ctx, saga, ready);
    },
  },
});

restate.serve({ services: [branch, branches, stages], port: Number(process.env.PORT) });
