import type { Command } from "commander";
import { PublishReleaseResponseSchema } from "../../../gen/ts/realmwire/v1/release_service_pb.ts";
import { describeBytes, startProgress } from "../progress.ts";
import { asAdmin } from "../session.ts";
import { type AddAction, jsonOf, type Tool } from "../tool.ts";

/** The server reads and hashes every file of a release, in milliseconds. */
const PUBLISH_TIMEOUT_MS = 30 * 60_000;
const TICK_MS = 1_000;

/** Adds the publishing of client releases. */
export function addPublish(program: Command, add: AddAction): void {
  add(
    program
      .command("publish <platform> <version>")
      .description("make <clients>/<platform>/<version> of the server's disk the current release")
      .option(
        "--oldest-working <version>",
        "the oldest release that still works; default: as before",
      ),
    publish,
  );
}

async function publish(
  tool: Tool,
  [platform = "", version = ""]: string[],
  options: { readonly oldestWorking?: string },
): Promise<void> {
  const request = { platform, version, oldestWorking: options.oldestWorking ?? "" };
  const progress = startProgress(tool);
  const began = performance.now();
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - began) / 1000);
    progress.set(`the server reads ${platform} ${version}: ${seconds} s`);
  }, TICK_MS);
  try {
    const answer = await asAdmin(tool, tool.settings, ({ release }) =>
      release.publishRelease(request, { timeoutMs: PUBLISH_TIMEOUT_MS }),
    );
    progress.end();
    const { release, files, bytes } = answer;
    tool.print(
      [
        `${platform} ${release?.version} is current, from ${release?.oldestWorking} on clients work: ` +
          `${files} files, ${describeBytes(bytes)}`,
      ],
      jsonOf(PublishReleaseResponseSchema, answer),
    );
  } finally {
    clearInterval(timer);
    progress.end();
  }
}
