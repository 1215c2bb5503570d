import { AsyncLocalStorage } from "node:async_hooks";
import type { DescMethodUnary } from "@bufbuild/protobuf";
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Span } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Logger } from "../logger.ts";
import type { StoreWatch } from "../metrics/watched-store.ts";
import type { Pipeline } from "../rpc/pipeline/pipeline.ts";

/** Sends traces of calls and of the store to a collector, by OTLP over HTTP. */
export interface Tracing {
  /** The same pipeline, whose unary calls are spans; those that begin elsewhere, by `traceparent`, go on there. */
  watchPipeline(pipeline: Pipeline): Pipeline;
  /** Makes operations of the store spans, those of a call within its span. */
  readonly watchStore: StoreWatch;
  /** Sends what is left. Never rejects: traces are no reason not to stop well. */
  close(): Promise<void>;
}

/** What traces are made with. The exporter reads its own variables, `OTEL_EXPORTER_OTLP_…`, from the process. */
export interface TracingOptions {
  readonly version: string;
  /** Which part of the traces that begin here is kept: 0 to 1. */
  readonly ratio: number;
  readonly serviceName: string;
  readonly logger: Logger;
}

/** How long the last traces may take to be sent when the server stops. */
const FLUSH_TIMEOUT_MS = 3_000;

const TRACE_CONTEXT = new W3CTraceContextPropagator();
const CARRIER = {
  get: (carrier: { traceparent?: string | undefined }) => carrier.traceparent,
  keys: () => ["traceparent"],
};

/** Begins to trace. Nothing global is set, so several servers of a process do not meet. */
export function startTracing({ version, ratio, serviceName, logger }: TracingOptions): Tracing {
  const own = resourceFromAttributes({ "service.name": serviceName, "service.version": version });
  const provider = new TracerProvider({
    resource: defaultResource().merge(own),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const tracer = provider.getTracer("realmwire", version);
  const current = new AsyncLocalStorage<Context>();

  /** Runs something as a span, within which other spans begin. */
  async function within<T>(span: Span, parent: Context, run: () => Promise<T>): Promise<T> {
    try {
      return await current.run(trace.setSpan(parent, span), run);
    } catch (error) {
      const type = error instanceof ConnectError ? Code[error.code] : nameOf(error);
      span.setAttribute("error.type", type);
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  }

  return {
    watchPipeline(pipeline) {
      const unary: Pipeline["unary"] = (method, request, context) => {
        const parent = TRACE_CONTEXT.extract(ROOT_CONTEXT, context, CARRIER);
        const options = { kind: SpanKind.SERVER, attributes: attributesOf(method) };
        const span = tracer.startSpan(fullName(method), options, parent);
        if (span.isRecording()) span.setAttribute("realmwire.request_id", context.requestId);
        return within(span, parent, () => pipeline.unary(method, request, context));
      };
      return { ...pipeline, unary };
    },
    watchStore(operation, run) {
      // Asked every other second, to tell whether the database is there.
      if (operation === "ping") return run();
      const parent = current.getStore() ?? ROOT_CONTEXT;
      const attributes = { "db.system.name": "postgresql", "db.operation.name": operation };
      const options = { kind: SpanKind.CLIENT, attributes };
      return within(tracer.startSpan(`store ${operation}`, options, parent), parent, run);
    },
    async close() {
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_TIMEOUT_MS).unref());
      await Promise.race([provider.shutdown(), timeout]).catch((error: unknown) => {
        logger.warn({ err: error }, "the last traces were not sent");
      });
    },
  };
}

function fullName({ parent, name }: DescMethodUnary): string {
  return `${parent.typeName}/${name}`;
}

function attributesOf(method: DescMethodUnary) {
  return { "rpc.system.name": "connectrpc", "rpc.method": fullName(method) };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
