import { expectPinned, imageOf, readDeployments, readyReplicas, type Deployment } from './cluster.ts';
import { RefusedError } from './errors.ts';
import { runPlan, type Step } from './plan.ts';
import { smoke } from './smoke.ts';
import { keepState, type Color, type RolloutState, type StateKeeper } from './state.ts';
import { imageStep, readyStep, scaleStep, shown, smokeStep, tellEnd, withoutUndo } from './steps.ts';
import { expectNotWorse, observe } from './watch.ts';

import type { Rollout } from './rollout.ts';
import type { Figures } from './traffic.ts';

interface Sides {
    keeper: StateKeeper;
    state: RolloutState | null;
    /** The colour that clients get to. */
    color: Color;
    live: Deployment;
    idleColor: Color;
    idle: Deployment;
    worker: Deployment;
}

const other = (color: Color): Color => (color === 'blue' ? 'green' : 'blue');
const nameOf = (color: Color): string => `api-${color}`;

async function readSides({ kubectl }: Rollout): Promise<Sides> {
    const keeper = await keepState(kubectl);
    const { color } = keeper.selector;
    if (color !== 'blue' && color !== 'green') {
        throw new RefusedError(
            'The service api selects no colour: begin first, where this is a blue-green installation.',
        );
    }
    const idleColor = other(color);
    const of = await readDeployments(kubectl, [nameOf(color), nameOf(idleColor), 'worker']);
    const [live, idle, worker] = [of(nameOf(color)), of(nameOf(idleColor)), of('worker')];
    return { keeper, state: keeper.state, color, live, idleColor, idle, worker };
}

const isSwitched = (state: RolloutState | null): boolean => state?.phase === 'watching' || state?.phase === 'switched';
const isDeploying = (state: RolloutState | null): boolean =>
    state?.phase === 'deploying' || state?.phase === 'deployed';

const plan = ({ kubectl, say }: Rollout, steps: Step[]): Promise<void> => runPlan(steps, kubectl.signal, say);

/** Of a new installation, where clients get to both colours: blue has them from here on, and green ends. */
export async function begin(rollout: Rollout): Promise<void> {
    const { kubectl, say } = rollout;
    const { state, selector, select } = await keepState(kubectl);
    const of = await readDeployments(kubectl, [nameOf('blue'), nameOf('green')]);
    const [blue, green] = [of(nameOf('blue')), of(nameOf('green'))];
    const isChosen = selector.color !== undefined;
    if (isChosen && (state || selector.color !== 'blue' || green.spec.replicas === 0)) {
        return say(`Clients get to api-${selector.color} only already: there is nothing to do.`);
    }
    if (state) throw new RefusedError('A rollout was begun here: give the service api its colour back by kubectl.');
    await plan(rollout, [
        scaleStep(rollout, blue, Math.max(blue.spec.replicas, 1)),
        readyStep(rollout, nameOf('blue')),
        { title: 'service api: blue', isDone: isChosen, isFinal: true, run: () => select('blue') },
        { ...scaleStep(rollout, green, 0), isFinal: true },
    ]);
    tellEnd(rollout, 'Clients get to api-blue. Next: deploy.');
}

export async function deploy(rollout: Rollout): Promise<void> {
    const { say, options } = rollout;
    const image = options.image ?? '';
    expectPinned(image);
    const { keeper, state, color, live, idle } = await readSides(rollout);
    const name = idle.metadata.name;
    if (imageOf(live) === image) return say(`${nameOf(color)} serves ${image} already: there is nothing to do.`);
    expectNothingElse(state, image);
    const wanted = Math.max(live.spec.replicas, 1);
    const isThere = imageOf(idle) === image && readyReplicas(idle) >= 1 && idle.spec.replicas >= 1;
    if (state?.phase === 'deployed' && state.image === image && isThere) {
        return say(`${name} has ${image} already and was tested: there is nothing to do. Next: switch.`);
    }
    const begun: RolloutState = { phase: 'deploying', image, previousImage: imageOf(live) };
    await plan(rollout, [
        {
            title: 'note that a rollout has begun',
            run: () => keeper.set(begun),
            undo: { title: 'note that nothing is under way', run: () => takeBack(keeper, state) },
        },
        imageStep(rollout, idle, image, { isResumed: isDeploying(state) }),
        scaleStep(rollout, idle, wanted, 0),
        readyStep(rollout, name),
        smokeStep(rollout, name, image),
        { title: 'note that it is tested', isFinal: true, run: () => keeper.set({ ...begun, phase: 'deployed' }) },
    ]);
    tellEnd(rollout, `${name} is ready. Clients do not get to it yet. Next: switch.`);
}

/** @throws RefusedError while another rollout is under way */
function expectNothingElse(state: RolloutState | null, image: string): void {
    if (isSwitched(state)) throw new RefusedError('The last switch is not over: finish it first, or go back.');
    if (state?.phase === 'deploying' && state.image !== image) {
        throw new RefusedError(
            `${state.image} is being deployed, or that was broken off: take it away first, by back.`,
        );
    }
}

/** What an interrupted run had noted is not gone back to: it is taken away with this one. */
const takeBack = (keeper: StateKeeper, state: RolloutState | null): Promise<void> =>
    state && isDeploying(state) ? keeper.set({ ...state, phase: 'back' }) : keeper.restore();

export async function test(rollout: Rollout): Promise<void> {
    const { kubectl, options, say } = rollout;
    const { idle } = await readSides(rollout);
    if (idle.spec.replicas === 0) throw new RefusedError(`${idle.metadata.name} has no replicas: deploy first.`);
    const { version, commit } = options;
    await smoke(kubectl, idle.metadata.name, { image: imageOf(idle), version, commit }, say);
    say(`${idle.metadata.name} works.`);
}

export async function switchOver(rollout: Rollout): Promise<void> {
    const { say, options } = rollout;
    const sides = await readSides(rollout);
    const { state } = sides;
    if (state?.phase === 'switched' || state?.phase === 'finished') {
        return say(`Clients get to ${nameOf(sides.color)} already: there is nothing to do.`);
    }
    const isResumed = state?.phase === 'watching';
    if (!isResumed && state?.phase !== 'deployed') {
        throw new RefusedError('Nothing is deployed and tested: deploy first.');
    }
    const { fresh, old, to, from } = isResumed
        ? { fresh: sides.live, old: sides.idle, to: sides.color, from: sides.idleColor }
        : { fresh: sides.idle, old: sides.live, to: sides.idleColor, from: sides.color };
    expectImage(fresh, state.image, 'was tested: deploy again');
    const goes = switchStep(sides, { to, from, isResumed }, state);
    const before: Step[] = [
        scaleStep(rollout, fresh, Math.max(fresh.spec.replicas, old.spec.replicas)),
        readyStep(rollout, nameOf(to)),
        smokeStep(rollout, nameOf(to), state.image),
        {
            title: `${nameOf(from)}: see how it does, for ${options.window} s`,
            run: async () => {
                if (!rollout.kubectl.isDry) goes.baseline.figures = await observe(rollout, nameOf(from));
            },
        },
    ];
    await plan(rollout, [
        ...(isResumed ? [] : before),
        goes.step,
        {
            title: `${nameOf(to)}: watch how it does, for ${options.window} s`,
            run: () => expectNotWorse(rollout, nameOf(to), goes.baseline.figures),
        },
        {
            title: 'note that it is switched',
            isFinal: true,
            run: () => sides.keeper.set({ ...state, phase: 'switched' }),
        },
    ]);
    tellEnd(rollout, `Clients get to ${nameOf(to)}. Next: finish, or back.`);
}

function expectImage(deployment: Deployment, image: string, why: string): void {
    const now = imageOf(deployment);
    if (now !== image) throw new RefusedError(`${deployment.metadata.name} has ${now}, but ${image} ${why}.`);
}

const UNKNOWN: Figures = { requests: 0, errors: 0, p95: null };

/** The switch itself, and how the former colour did: the switch is what remembers it. */
function switchStep(
    { keeper }: Sides,
    { to, from, isResumed }: { to: Color; from: Color; isResumed: boolean },
    { baseline: known = UNKNOWN, ...state }: RolloutState,
): { step: Step; baseline: { figures: Figures } } {
    const baseline = { figures: known };
    const step: Step = {
        title: `service api: from ${from} to ${to}`,
        isDone: isResumed,
        run: () => keeper.set({ ...state, phase: 'watching', baseline: baseline.figures }, to),
        undo: { title: `service api: back to ${from}`, run: () => keeper.set({ ...state, phase: 'deployed' }, from) },
    };
    return { step, baseline };
}

export async function finish(rollout: Rollout): Promise<void> {
    const { say } = rollout;
    const { keeper, state, live, idle, worker } = await readSides(rollout);
    if (state?.phase === 'finished') return say('It is finished already: there is nothing to do.');
    if (state?.phase !== 'switched')
        throw new RefusedError('Nothing was switched and watched to its end: switch first.');
    await plan(rollout, [
        imageStep(rollout, worker, imageOf(live), { component: 'worker' }),
        readyStep(rollout, 'worker', 'worker'),
        { ...scaleStep(rollout, idle, 0), isFinal: true },
        { title: 'note that it is finished', isFinal: true, run: () => keeper.set({ ...state, phase: 'finished' }) },
    ]);
    tellEnd(rollout, `Done: ${state.image} serves, and ${idle.metadata.name} has ended.`);
}

export async function back(rollout: Rollout): Promise<void> {
    const { say } = rollout;
    const sides = await readSides(rollout);
    const { keeper, state, live, idle, idleColor, color } = sides;
    if (!state) throw new RefusedError('There is nothing to go back to: no rollout was begun.');
    if (state.phase === 'back' && idle.spec.replicas === 0)
        return say('It is as before already: there is nothing to do.');
    if (isDeploying(state) || state.phase === 'back') return takeAway(rollout, sides, state);
    expectImage(idle, state.previousImage, 'served before: deploy that');
    await plan(rollout, [
        scaleStep(rollout, idle, Math.max(idle.spec.replicas, live.spec.replicas), idle.spec.replicas),
        readyStep(rollout, idle.metadata.name),
        {
            title: `service api: back from ${color} to ${idleColor}`,
            isFinal: true,
            run: () => keeper.set({ ...state, phase: 'back' }, idleColor),
        },
    ]);
    const swapped = { ...sides, live: idle, idle: live, color: idleColor, idleColor: color };
    return takeAway(rollout, swapped, { ...state, phase: 'back' });
}

/** Ends what clients do not get to. There is no reverse: interrupted, it is for the next `back` to go on. */
async function takeAway(rollout: Rollout, sides: Sides, state: RolloutState): Promise<void> {
    const { keeper, color, live, idle, worker } = sides;
    const image = imageStep(rollout, idle, state.image, { isResumed: true }).undo;
    const isChanged = isDeploying(state) && imageOf(idle) === state.image;
    const isWorkerNew = imageOf(worker, 'worker') === state.image && !isDeploying(state);
    const workerBack = imageStep(rollout, worker, imageOf(live), { component: 'worker' });
    await plan(rollout, [
        ...(isWorkerNew ? [withoutUndo(workerBack), readyStep(rollout, 'worker', 'worker')] : []),
        scaleStep(rollout, idle, 0),
        ...(image && isChanged ? [image] : []),
        {
            title: 'note that nothing is under way',
            isDone: state.phase === 'back',
            run: () => keeper.set({ ...state, phase: 'back' }),
        },
    ]);
    tellEnd(rollout, `${idle.metadata.name} has ended; clients get to ${nameOf(color)}, with ${imageOf(live)}.`);
}

export async function status(rollout: Rollout): Promise<void> {
    const { state, color, live, idle, worker } = await readSides(rollout);
    rollout.say(
        `Clients get to ${nameOf(color)}. The last rollout: ${state ? `${state.phase} ${state.image}` : 'none'}.`,
    );
    for (const line of [shown(live), shown(idle), shown(worker, 'worker')]) rollout.say(`  ${line}`);
}
