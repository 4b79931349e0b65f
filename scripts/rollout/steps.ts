import {
    hasImage,
    imageOf,
    previousImageOf,
    readyReplicas,
    scale,
    setImage,
    waitUntilReady,
    type Component,
    type Deployment,
} from './cluster.ts';
import { smoke } from './smoke.ts';

import type { Step } from './plan.ts';
import type { Rollout } from './rollout.ts';

export interface ImageOptions {
    component?: Component;
    /** An interrupted run may have given it the image already: the one before is remembered at the deployment. */
    isResumed?: boolean;
}

/** Gives a deployment an image; its reverse is the one before. */
export function imageStep(
    { kubectl }: Rollout,
    deployment: Deployment,
    image: string,
    { component = 'api', isResumed = false }: ImageOptions = {},
): Step {
    const { name } = deployment.metadata;
    const now = imageOf(deployment, component);
    const remembered = isResumed ? previousImageOf(deployment) : undefined;
    const before = now === image ? remembered : now;
    const previous = now === image ? undefined : now;
    return {
        title: `${name}: image ${image}`,
        isDone: hasImage(deployment, image, component),
        run: () => setImage(kubectl, deployment, image, { component, previous }),
        ...(before !== undefined && {
            undo: {
                title: `${name}: image ${before}`,
                run: () => setImage(kubectl, deployment, before, { component }),
            },
        }),
    };
}

/** @param undoTo How many replicas its reverse leaves; without it there is none */
export function scaleStep({ kubectl }: Rollout, deployment: Deployment, replicas: number, undoTo?: number): Step {
    const { name } = deployment.metadata;
    return {
        title: `${name}: ${replicas} replicas`,
        isDone: deployment.spec.replicas === replicas,
        run: () => scale(kubectl, name, replicas),
        ...(undoTo !== undefined && {
            undo: { title: `${name}: ${undoTo} replicas`, run: () => scale(kubectl, name, undoTo) },
        }),
    };
}

export const readyStep = ({ kubectl, options }: Rollout, name: string, component: Component = 'api'): Step => ({
    title: `${name}: wait until the image is pulled and all replicas are ready, at most ${options.timeout} s`,
    run: () => waitUntilReady(kubectl, name, { timeout: options.timeout, component }),
});

export const smokeStep = ({ kubectl, options, say }: Rollout, name: string, image: string): Step => ({
    title: `${name}: ask a pod whether it works`,
    run: () => smoke(kubectl, name, { image, version: options.version, commit: options.commit }, say),
});

export const withoutUndo = ({ undo: _none, ...step }: Step): Step => step;

/** How a deployment is, in a line. */
export const shown = (deployment: Deployment, component?: Component): string => {
    const { metadata, spec } = deployment;
    return `${metadata.name}: ${imageOf(deployment, component)}, ${readyReplicas(deployment)} of ${spec.replicas} replicas ready`;
};

/** Says how it ended, unless nothing was done. */
export function tellEnd({ kubectl, say }: Rollout, words: string): void {
    say(kubectl.isDry ? 'Dry run: nothing was changed.' : words);
}
