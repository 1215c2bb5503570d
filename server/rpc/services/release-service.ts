import { ReleaseService } from "../../../gen/ts/realmwire/v1/release_service_pb.ts";
import type { Releases } from "../../release/releases.ts";
import type { Audit } from "./audit.ts";
import { defineService, type ServiceDefinition } from "../service.ts";

/** The service by which an admin publishes client releases. */
export function createReleaseService(options: {
  readonly releases: Pick<Releases, "publish">;
  readonly audit: Audit;
}): ServiceDefinition {
  return defineService(ReleaseService, {
    publishRelease(request, call) {
      const { platform, version, oldestWorking } = request;
      const about = { platform, version, oldestWorking };
      return options.audit(call, "PublishRelease", about, async () => {
        const { info, image } = await options.releases.publish(request);
        return { release: info, files: image.files.length, bytes: BigInt(image.bytes) };
      });
    },
  });
}
