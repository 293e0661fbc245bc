// The same for Node: `node client_program.mjs BASE`. Its fetch knows no HTTPS_PROXY before Node 24, so there the program asks
// for its tunnel itself, as proxy agents of that world do.
import http from "node:http";
import https from "node:https";

const base = process.argv[2];
const headers = { authorization: `Bearer ${process.env.AGENT_KEY}` };

function tunnel(proxy, target) {
    const place = `${target.hostname}:${target.port || 443}`;
    const login = Buffer.from(`${proxy.username}:${decodeURIComponent(proxy.password)}`).toString("base64");
    return new Promise((resolve, reject) => {
        const asking = http.request({
            host: proxy.hostname, port: proxy.port, method: "CONNECT", path: place,
            headers: { host: place, "proxy-authorization": `Basic ${login}` },
        });
        asking.on("connect", (answer, socket) =>
            answer.statusCode === 200 ? resolve(socket) : reject(new Error(`CONNECT: ${answer.statusCode}`)));
        asking.on("error", reject);
        asking.end();
    });
}

async function body(target) {
    if (!process.env.HTTPS_PROXY) {
        const answer = await fetch(target, { headers });
        if (answer.status !== 200) throw new Error(`status ${answer.status}`);
        return answer.body;
    }
    const socket = await tunnel(new URL(process.env.HTTPS_PROXY), target);
    return new Promise((resolve, reject) => {
        const asking = https.get(target, { headers, socket, agent: false }, (answer) =>
            answer.statusCode === 200 ? resolve(answer) : reject(new Error(`status ${answer.statusCode}`)));
        asking.on("error", reject);
    });
}

const came = [];
const decoder = new TextDecoder();
let rest = "";
for await (const bytes of await body(new URL(`${base}/v1/events`))) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop();
    for (const line of lines) {
        if (line.startsWith("data: ")) came.push([Date.now() / 1000, JSON.parse(line.slice(6)).piece]);
    }
}
console.log(JSON.stringify(came));
