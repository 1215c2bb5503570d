import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  type UpgradeRequest,
  type UpgradeResponseSchema,
  WorldService,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";

/** A message of an Upgrade, as a server may send it. */
export type UpgradePart = MessageInitShape<typeof UpgradeResponseSchema>;

/** A server that answers Upgrade with whatever a test wants, over the real protocol. */
export interface HostileServer {
  readonly baseUrl: string;
  /** The requests that came. */
  readonly requests: readonly UpgradeRequest[];
  close(): Promise<void>;
}

/** Starts a server. `upgrade` may throw too. */
export async function startHostileServer(
  upgrade: (request: UpgradeRequest, call: number) => Iterable<UpgradePart>,
): Promise<HostileServer> {
  const requests: UpgradeRequest[] = [];
  const server: Server = createServer(
    connectNodeAdapter({
      routes(router) {
        router.service(WorldService, {
          async *upgrade(request) {
            requests.push(request);
            yield* upgrade(request, requests.length);
          },
        });
      },
    }),
  );
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** A file of a manifest. */
export function fileOf(path: string, content: string | Uint8Array = "content") {
  const data = Buffer.from(content);
  return { path, size: BigInt(data.length), sha256: hashOf(data), executable: false };
}

/** The manifest of release 2.0.0 with these files. */
export function manifestOf(files: readonly ReturnType<typeof fileOf>[]): UpgradePart {
  const release = { platform: "test", version: "2.0.0", oldestWorking: "1.0.0" };
  return { part: { case: "manifest", value: { release, files: [...files], bytesToSend: 0n } } };
}

/** A piece of a content, under the hash of that or of another one. */
export function chunkOf(
  data: string | Uint8Array,
  options: { readonly offset?: number; readonly of?: string | Uint8Array } = {},
): UpgradePart {
  const { offset = 0, of = data } = options;
  const sha256 = hashOf(of);
  return {
    part: { case: "chunk", value: { sha256, offset: BigInt(offset), data: Buffer.from(data) } },
  };
}

function hashOf(data: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(data).digest());
}
