import { describeWorld } from "./world-suite.ts";

describeWorld("0");
