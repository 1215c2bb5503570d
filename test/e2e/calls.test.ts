import { describeCalls } from "./calls/suite.ts";

describeCalls("0");
