import { z } from "zod";
import { ConfigError } from "../config.ts";
import type { Logger } from "../logger.ts";
import type { Tracing } from "./tracing.ts";

/** The variables of OpenTelemetry that are looked at here; its exporter knows more of them. */
const VARIABLES = z.object({
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({
    protocol: /^https?$/,
    error: "must be a URL that begins with http",
  }),
  OTEL_SERVICE_NAME: z.string().min(1).default("realmwire"),
  OTEL_TRACES_SAMPLER: z
    .enum(["parentbased_always_on", "parentbased_traceidratio"], {
      error: "must be parentbased_always_on or parentbased_traceidratio",
    })
    .default("parentbased_always_on"),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number({ error: "must be 0 to 1" }).min(0).max(1).default(1),
});

/**
 * Traces, if `OTEL_EXPORTER_OTLP_ENDPOINT` asks for them: otherwise nothing of OpenTelemetry is even loaded. Throws
 * `ConfigError` for a variable that cannot be used.
 */
export async function loadTracing(
  env: NodeJS.ProcessEnv,
  options: { readonly version: string; readonly logger: Logger },
): Promise<Tracing | undefined> {
  if (!env["OTEL_EXPORTER_OTLP_ENDPOINT"]) return undefined;
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = VARIABLES.safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join(".")}: ${message}`,
    );
    throw new ConfigError(problems.join("\n"));
  }
  const {
    OTEL_SERVICE_NAME: serviceName,
    OTEL_TRACES_SAMPLER,
    OTEL_TRACES_SAMPLER_ARG,
  } = parsed.data;
  const ratio = OTEL_TRACES_SAMPLER === "parentbased_always_on" ? 1 : OTEL_TRACES_SAMPLER_ARG;
  const { startTracing } = await import("./tracing.ts");
  return startTracing({ ...options, serviceName, ratio });
}
