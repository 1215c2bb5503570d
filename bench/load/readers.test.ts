import http from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createHttp1Reader, createPost, createPostHead } from "./http1.ts";
import { createEnvelopeReader, envelope } from "./reassembler.ts";
import { createSamples } from "./samples.ts";
import { openSocket } from "./socket.ts";
import { createWebSocketReader } from "./web-socket.ts";

/** Gives bytes in pieces of every size. */
function feed(read: (chunk: Buffer) => void, bytes: Buffer, size: number): void {
  for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size));
}

test.each([1, 2, 7, 1000])("answers of HTTP/1.1 are read from pieces of %i bytes", (size) => {
  const answers: string[] = [];
  let body = "";
  const read = createHttp1Reader({
    onHead: (status) => (body = `${status} `),
    onBody: (part) => (body += part.toString()),
    onEnd: () => answers.push(body),
  });
  const text =
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" +
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n" +
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
  feed(read, Buffer.from(text), size);
  expect(answers).toEqual(["200 hello", "200 abc0123456789", "404 "]);
});

test.each([1, 4, 1000])("envelopes are read from pieces of %i bytes", (size) => {
  const messages: string[] = [];
  const read = createEnvelopeReader((_, message) => messages.push(message.toString()));
  feed(read, Buffer.concat([envelope(Buffer.from("one")), envelope(Buffer.from(""))]), size);
  expect(messages).toEqual(["one", ""]);
});

test.each([1, 5, 1000])("frames of a WebSocket are read from pieces of %i bytes", (size) => {
  const lengths: number[] = [];
  const replies: Buffer[] = [];
  const read = createWebSocketReader(
    {
      onOpen: () => lengths.push(-1),
      onMessage: (message) => lengths.push(message.length),
      onFailure: (reason) => expect.unreachable(reason),
    },
    (bytes) => replies.push(bytes),
  );
  const long = Buffer.concat([Buffer.from([0x82, 126, 1, 44]), Buffer.alloc(300)]);
  const ping = Buffer.from([0x89, 1, 7]);
  const head = Buffer.from("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  feed(read, Buffer.concat([head, Buffer.from([0x82, 1, 0]), ping, long]), size);
  expect(lengths).toEqual([-1, 1, 300]);
  expect(replies).toEqual([Buffer.from([0x8a, 0x81, 0, 0, 0, 0, 7])]);
});

test("a real server understands the requests", async () => {
  const server = http.createServer((request, response) => {
    request.on("data", (body: Buffer) =>
      response.end(`${String(request.headers["x-mark"])} ${body.length}`),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  let read = (_chunk: Buffer) => {};
  const socket = await openSocket(port, { onData: (chunk) => read(chunk), onEnd: () => {} });
  const answer = new Promise<string>((resolve) => {
    read = createHttp1Reader({
      onHead: () => {},
      onBody: (part) => resolve(part.toString()),
      onEnd: () => {},
    });
  });
  socket.write(createPost(createPostHead("/", { "x-mark": "here" }), Buffer.alloc(12)));
  expect(await answer).toBe("here 12");
  socket.destroy();
  server.close();
});

test("percentiles are those of all numbers, and of none there is none", () => {
  const samples = createSamples();
  expect(samples.percentile(0.5)).toBeNaN();
  for (let i = 2000; i > 0; i--) samples.add(i);
  expect(samples.percentile(0.5)).toBe(1001);
  expect(samples.percentile(0.99)).toBe(1981);
  samples.clear();
  samples.add(3);
  expect(samples.percentile(0.99)).toBe(3);
});
