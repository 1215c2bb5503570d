import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";

/** The address of one of many callers on this machine: each is somebody else to a server that counts by address. */
export function addressOf(caller: number): string {
  return `127.${1 + (caller >> 16)}.${(caller >> 8) & 255}.${caller & 255 || 255}`;
}

/** What is missing where they cannot be used. */
export const ADDRESSES_NEEDED = "all of 127.0.0.0/8, as Linux has it";

/** Whether this machine lets connections come from such addresses. */
export async function hasAddresses(): Promise<boolean> {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: "127.0.0.1", localAddress: addressOf(1) });
  const outcome = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "error").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  server.close();
  return outcome;
}
