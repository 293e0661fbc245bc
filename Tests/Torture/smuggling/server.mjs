// A server of Node with its lenient parser. It prints the target of every request that begins with `/smuggled`, and at the
// end how many it has seen.
// Usage: node server.mjs PORT
import http from "node:http";

let seen = 0;
const server = http.createServer({ insecureHTTPParser: true, keepAliveTimeout: 30000 }, (request, response) => {
    if (request.url.startsWith("/m")) seen += 1;
    if (request.url.startsWith("/smuggled")) console.log(`smuggled ${request.url}`);
    request.on("data", () => {});
    request.on("end", () => response.end(request.url));
    request.on("error", () => response.destroy());
});
server.on("clientError", (error, socket) => socket.destroy());
server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
process.on("SIGTERM", () => {
    console.log(`seen ${seen}`);
    process.exit(0);
});
