import type { Policy } from '../policy/model.ts';
import type { StepOutcome } from '../queue/new-run.ts';
import type { TakenStep } from '../queue/run-queue.ts';
import type { StepOrder } from './run-plan.ts';
export async function runHookStep(_step: TakenStep, _order: StepOrder & {kind:'hook'}, _parts: { policy: Policy; signal: AbortSignal }): Promise<StepOutcome> { throw new Error('hooks come later'); }
