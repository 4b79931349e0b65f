import type { Kubectl } from './kubectl.ts';
import type { Options } from './options.ts';

/** What every step has at hand. */
export interface Rollout {
    kubectl: Kubectl;
    options: Options;
    /** Tells the operator. */
    say: (line: string) => void;
}
