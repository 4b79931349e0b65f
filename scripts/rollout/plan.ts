import { CheckError, ConflictError, messageOf, RolledBackError, StuckError } from './errors.ts';

/** A step of a rollout, with its reverse where it has one. */
export interface Step {
    /** What is going to be done, said before it is. */
    title: string;
    /** It was done before: only its reverse may still be wanted. */
    isDone?: boolean;
    /** From here on nothing is taken back, and an interruption waits: it is quicker to go on. */
    isFinal?: boolean;
    run: () => Promise<void>;
    undo?: { title: string; run: () => Promise<void> };
}

/**
 * Goes through the steps. When one fails or the signal says to stop, goes back through the reverses of those that were
 * begun, the last first; these are not interrupted.
 *
 * @throws RolledBackError, StuckError; ConflictError when somebody else was first
 */
export async function runPlan(steps: Step[], signal: AbortSignal, say: (line: string) => void): Promise<void> {
    const begun: Step[] = [];
    for (const step of steps) {
        try {
            if (step.isFinal !== true) signal.throwIfAborted();
            begun.push(step);
            if (step.isDone === true) continue;
            say(`→ ${step.title}`);
            await step.run();
        } catch (error) {
            throw step.isFinal === true ? unfinished(error) : await failed(step, begun, error);
        }
    }

    async function failed(step: Step, steps: Step[], error: unknown): Promise<unknown> {
        const cause = signal.aborted ? 'interrupted' : messageOf(error);
        const isAnothers = error instanceof ConflictError;
        // The step has not happened: it is another one's that would be taken back.
        const undone = await goBack(isAnothers ? steps.filter((other) => other !== step) : steps, cause, say);
        if (isAnothers) return error;
        return undone ? new RolledBackError(cause) : new CheckError(cause);
    }
}

const unfinished = (error: unknown): unknown =>
    error instanceof ConflictError ? error : new StuckError(`${messageOf(error)}. Run it again to go on.`);

/** @returns Whether there was something to take back */
async function goBack(begun: Step[], cause: string, say: (line: string) => void): Promise<boolean> {
    const reverses = begun.flatMap(({ undo }) => undo ?? []).reverse();
    if (reverses.length > 0) say(`Going back: ${cause}`);
    const left: string[] = [];
    for (const { title, run } of reverses) {
        say(`← ${title}`);
        try {
            await run();
        } catch (error) {
            left.push(`${title} (${messageOf(error)})`);
        }
    }
    if (left.length > 0) throw new StuckError(`${cause}. Not taken back, please do: ${left.join('; ')}`);
    return reverses.length > 0;
}
