import { ReleaseService } from "../../gen/ts/realmwire/v1/release_service_pb.ts";
import type { Releases } from "../release/releases.ts";
import { defineService, type ServiceDefinition } from "./service.ts";

/** The service by which an admin publishes client releases. */
export function createReleaseService(options: {
  readonly releases: Pick<Releases, "publish">;
}): ServiceDefinition {
  return defineService(ReleaseService, {
    async publishRelease(request) {
      const { info, image } = await options.releases.publish(request);
      return { release: info, files: image.files.length, bytes: BigInt(image.bytes) };
    },
  });
}
