// Starts sagas at Restate's HTTP ingress and waits for them: node restate_client.mjs INGRESS_URL SERVICE
import { Agent, request } from "node:http";
import { serve } from "./load.mjs";

const [ingress, service] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });

function call(method, path, body, key) {
  const headers = { "content-type": "application/json", ...(key ? { "idempotency-key": key } : {}) };
  return new Promise((resolve, reject) => {
    const sent = request(`${ingress}${path}`, { method, headers, agent }, (response) => {
      let text = "";
      response.on("data", (data) => (text += data));
      response.on("end", () =>
        response.statusCode < 300 ? resolve(JSON.parse(text)) : reject(new Error(`${response.statusCode} ${text}`)),
      );
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

await serve({
  run: (saga, fail) => call("POST", `/${service}/run`, { saga, fail }),
  begin: (saga) => call("POST", `/${service}/run/send`, { saga, fail: "" }, saga),
  finish: (saga) => call("GET", `/restate/invocation/${service}/run/${saga}/attach`),
});
