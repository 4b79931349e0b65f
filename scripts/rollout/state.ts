import { ConflictError, RefusedError } from './errors.ts';

import type { Metadata } from './cluster.ts';
import type { Kubectl } from './kubectl.ts';
import type { Figures } from './traffic.ts';

export type Color = 'blue' | 'green';

/** How far a rollout has come. It is kept at the Service `api`, in one annotation. */
export interface RolloutState {
    phase:
        | 'deploying'
        | 'deployed'
        | 'watching'
        | 'switched'
        | 'finished'
        | 'back'
        | 'starting'
        | 'running'
        | 'promoting'
        | 'promoted'
        | 'aborted';
    /** Of the new version. */
    image: string;
    /** What served before. */
    previousImage: string;
    /** Of a canary: what it is to get, of 100 requests. */
    percent?: number;
    /** How the former version did before the switch. */
    baseline?: Figures;
}

interface Service {
    metadata: Metadata;
    spec: { selector: Record<string, string> };
}

const SERVICE = 'api';
const ANNOTATION = 'llm-api-layer/rollout';
const TRIES = 5;

const readService = async (kubectl: Kubectl): Promise<Service> =>
    JSON.parse(await kubectl.read(['get', 'service', SERVICE, '-o', 'json'])) as Service;

export type StateKeeper = Awaited<ReturnType<typeof keepState>>;

/**
 * The state as it is in the cluster. It changes only when nobody else has changed it meanwhile, and the colour that the
 * Service selects only together with it: of two operators one is refused.
 */
export async function keepState(kubectl: Kubectl) {
    const { metadata, spec } = await readService(kubectl);
    const first = { raw: metadata.annotations?.[ANNOTATION], color: spec.selector.color };
    let expected = new Set([first.raw]);
    const change = async (raw: string | undefined, color: string | undefined): Promise<void> => {
        for (let tries = 1; ; tries++) {
            const service = await readService(kubectl);
            if (!kubectl.isDry && !expected.has(service.metadata.annotations?.[ANNOTATION])) {
                throw new ConflictError('Somebody else has begun a step of a rollout meanwhile.');
            }
            const patch = {
                metadata: {
                    resourceVersion: service.metadata.resourceVersion,
                    annotations: { [ANNOTATION]: raw ?? null },
                },
                ...(color !== undefined && { spec: { selector: { color } } }),
            };
            try {
                await kubectl.change(['patch', 'service', SERVICE, '--type=merge', '-p', JSON.stringify(patch)]);
                expected = new Set([raw]);
                return;
            } catch (error) {
                // It may have come about although nobody heard so.
                if (!(error instanceof ConflictError)) expected.add(raw);
                // Something else of it was changed: whose turn it is shows when it is read again.
                if (!(error instanceof ConflictError) || tries === TRIES) throw error;
            }
        }
    };
    return {
        state: parse(first.raw),
        selector: spec.selector,
        /** @throws ConflictError when somebody else was first */
        set: (state: RolloutState, color?: Color) => change(JSON.stringify(state), color),
        /** Gives a service without a colour its first, which is no rollout yet. */
        select: (color: Color) => change(first.raw, color),
        /** Back to what it was when it was read. */
        restore: () => change(first.raw, first.color),
    };
}

function parse(raw: string | undefined): RolloutState | null {
    try {
        return raw === undefined ? null : (JSON.parse(raw) as RolloutState);
    } catch {
        throw new RefusedError(`The annotation ${ANNOTATION} of the service ${SERVICE} is not what was written there.`);
    }
}
