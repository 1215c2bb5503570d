import type { DescService } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";

/** A service beside the pipeline: without `access`, without limits, the same on every server. */
export interface InfrastructureService {
  readonly desc: DescService;
  readonly implementation: Readonly<Record<string, unknown>>;
}

/** Binds an implementation to a service that every server has. */
export function defineInfrastructure<S extends DescService>(
  desc: S,
  implementation: ServiceImpl<S>,
): InfrastructureService {
  return { desc, implementation: { ...implementation } };
}
