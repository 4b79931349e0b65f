import { expectPinned, imageOf, readDeployments, type Deployment } from './cluster.ts';
import { RefusedError } from './errors.ts';
import { runPlan, type Step } from './plan.ts';
import { shareOf, type Share } from './share.ts';
import { keepState, type RolloutState, type StateKeeper } from './state.ts';
import { imageStep, readyStep, scaleStep, shown, smokeStep, tellEnd, withoutUndo } from './steps.ts';
import { expectNotWorse } from './watch.ts';

import type { Rollout } from './rollout.ts';

interface Tracks {
    keeper: StateKeeper;
    state: RolloutState | null;
    stable: Deployment;
    canary: Deployment;
    worker: Deployment;
}

const STABLE = 'api';
const CANARY = 'api-canary';

async function readTracks({ kubectl }: Rollout): Promise<Tracks> {
    const keeper = await keepState(kubectl);
    if (keeper.selector.color !== undefined) {
        throw new RefusedError('The service api selects a colour: this is a blue-green installation.');
    }
    const of = await readDeployments(kubectl, [STABLE, CANARY, 'worker']);
    return { keeper, state: keeper.state, stable: of(STABLE), canary: of(CANARY), worker: of('worker') };
}

const plan = ({ kubectl, say }: Rollout, steps: Step[]): Promise<void> => runPlan(steps, kubectl.signal, say);
const isUnderWay = (state: RolloutState | null): boolean => isStarted(state) || state?.phase === 'promoting';
const isStarted = (state: RolloutState | null): boolean => state?.phase === 'starting' || state?.phase === 'running';

export async function start(rollout: Rollout): Promise<void> {
    const { options, say } = rollout;
    const { image = '', percent = 0 } = options;
    expectPinned(image);
    const tracks = await readTracks(rollout);
    const { state, stable } = tracks;
    const done = whyNothingToStart(tracks, image, percent);
    if (done !== null) return say(`${done}: there is nothing to do.`);
    if (state?.phase === 'promoting' || (isStarted(state) && state?.image !== image)) {
        throw new RefusedError(`A canary of ${state?.image} is under way: promote or abort it first.`);
    }
    const share = await shareOf(rollout.kubectl, stable, percent);
    say(`The canary gets its share ${share.words}.`);
    await plan(rollout, startSteps(rollout, tracks, share));
    tellEnd(rollout, `The canary has its share, ${share.words}. Next: promote, or abort.`);
}

function whyNothingToStart({ state, stable }: Tracks, image: string, percent: number): string | null {
    if (imageOf(stable) === image && !isUnderWay(state)) return `${STABLE} serves ${image} already`;
    const isRunning = state?.phase === 'running' && state.image === image && state.percent === percent;
    return isRunning ? `The canary of ${image} has ${percent} % already` : null;
}

function startSteps(rollout: Rollout, { keeper, state, stable, canary }: Tracks, share: Share): Step[] {
    const { image = '', percent = 0 } = rollout.options;
    const isResumed = isStarted(state);
    const begun: RolloutState = { phase: 'starting', image, previousImage: imageOf(stable), percent };
    const first = Math.max(canary.spec.replicas, share.first);
    return [
        {
            title: 'note that a canary has begun',
            run: () => keeper.set(begun),
            undo: {
                title: 'note that no canary is under way',
                run: () => (isResumed ? keeper.set({ ...begun, phase: 'aborted' }) : keeper.restore()),
            },
        },
        imageStep(rollout, canary, image, { isResumed }),
        scaleStep(rollout, canary, first, 0),
        readyStep(rollout, CANARY),
        smokeStep(rollout, CANARY, image),
        {
            title: `${CANARY}: its share, ${share.words}`,
            run: () => share.set(percent),
            undo: { title: `${CANARY}: no share`, run: () => share.set(0) },
        },
        readyStep(rollout, CANARY),
        {
            title: `${CANARY}: watch how it does beside ${STABLE}, for ${rollout.options.window} s`,
            run: () => expectNotWorse(rollout, CANARY, STABLE),
        },
        { title: 'note that the canary runs', isFinal: true, run: () => keeper.set({ ...begun, phase: 'running' }) },
    ];
}

export async function promote(rollout: Rollout): Promise<void> {
    const { options, say } = rollout;
    const tracks = await readTracks(rollout);
    const { keeper, state, stable, canary, worker } = tracks;
    if (state?.phase === 'promoted') return say(`${state.image} is promoted already: there is nothing to do.`);
    const isResumed = state?.phase === 'promoting';
    if (!isResumed && state?.phase !== 'running') throw new RefusedError('No canary runs: start one first.');
    const { image, percent = 0 } = state;
    const share = await shareOf(rollout.kubectl, stable, percent);
    const judge: Step = {
        title: `${CANARY}: watch how it does beside ${STABLE}, for ${options.window} s`,
        run: () => expectNotWorse(rollout, CANARY, STABLE),
    };
    await plan(rollout, [
        ...(isResumed ? [] : [judge]),
        {
            title: 'note that it is being promoted',
            isDone: isResumed,
            run: () => keeper.set({ ...state, phase: 'promoting' }),
            undo: { title: 'note that the canary runs', run: () => keeper.set({ ...state, phase: 'running' }) },
        },
        imageStep(rollout, stable, image, { isResumed }),
        readyStep(rollout, STABLE),
        smokeStep(rollout, STABLE, image),
        imageStep(rollout, worker, image, { component: 'worker', isResumed }),
        readyStep(rollout, 'worker', 'worker'),
        { title: `${CANARY}: no share`, isFinal: true, run: () => share.set(0) },
        { ...scaleStep(rollout, canary, 0), isFinal: true },
        { title: 'note that it is promoted', isFinal: true, run: () => keeper.set({ ...state, phase: 'promoted' }) },
    ]);
    tellEnd(rollout, `Done: ${image} serves, and the canary has ended.`);
}

/** There is no reverse: interrupted, it is for the next `abort` to go on. */
export async function abort(rollout: Rollout): Promise<void> {
    const { keeper, state, stable, canary, worker } = await readTracks(rollout);
    if (!state || !isUnderWay(state)) {
        return rollout.say('No canary is under way: there is nothing to do.');
    }
    const share = await shareOf(rollout.kubectl, stable, state.percent ?? 1);
    const { image, previousImage } = state;
    const stableBack = withoutUndo(imageStep(rollout, stable, previousImage));
    const workerBack = withoutUndo(imageStep(rollout, worker, previousImage, { component: 'worker' }));
    const canaryBack = imageStep(rollout, canary, image, { isResumed: true }).undo;
    const isWorkerNew = imageOf(worker, 'worker') === image;
    await plan(rollout, [
        ...(imageOf(stable) === image ? [stableBack, readyStep(rollout, STABLE)] : []),
        ...(isWorkerNew ? [workerBack, readyStep(rollout, 'worker', 'worker')] : []),
        { title: `${CANARY}: no share`, run: () => share.set(0) },
        scaleStep(rollout, canary, 0),
        ...(canaryBack && imageOf(canary) === image ? [canaryBack] : []),
        { title: 'note that it is aborted', run: () => keeper.set({ ...state, phase: 'aborted' }) },
    ]);
    tellEnd(rollout, `The canary has ended; ${previousImage} serves.`);
}

export async function status(rollout: Rollout): Promise<void> {
    const { state, stable, canary, worker } = await readTracks(rollout);
    const percent = state?.percent === undefined || !isStarted(state) ? '' : `, ${state.percent} %`;
    rollout.say(`The last canary: ${state ? `${state.phase} ${state.image}${percent}` : 'none'}.`);
    for (const line of [shown(stable), shown(canary), shown(worker, 'worker')]) rollout.say(`  ${line}`);
}
