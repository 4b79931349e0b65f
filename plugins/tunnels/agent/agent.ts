import { setTimeout as sleep } from 'node:timers/promises';

import { Agent as HttpClient } from 'undici';

import { connect } from './connect.ts';
import { diagnose } from './diagnose.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { planTargets } from './plan.ts';
import { reconnectDelay } from './reconnect-delay.ts';
import { relay } from './relay.ts';
import { healthPolicy, type HealthPolicy } from './target.ts';
import { Targets } from './targets.ts';
import { ofClose, ofFailure, ofGoAway, type Verdict } from './verdict.ts';
import { packageVersion } from './version.ts';
import { headerOf } from '../../../src/relay/headers.ts';
import { AGENT_ITSELF } from '../link/diagnosis.ts';
import { Link } from '../link/link.ts';

import type { AgentOptions } from './options.ts';
import type { Reporter, Status } from './reporter.ts';
import type { LinkRequest, LinkSettings } from '../link/types.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const PATIENT_DELAY_MS = 30_000;
const FAREWELL_MS = 10_000;
const FAREWELL_POLL_MS = 20;
const CLOSE_PATIENCE_MS = 1_000;
const STATUS_EVERY_MS = 1_000;
/** A connection that held that long was a good one: the next loss begins at the shortest delay again. */
const LASTING_MS = 10_000;
const STOPPING: Verdict = { message: 'Stopping', onceCode: exitCodes.stopped };

/** How the agent takes its time, in milliseconds; a test is in more of a hurry. */
export interface AgentTimings {
    health: HealthPolicy;
    /** Between two tries to connect to a tunnel that is stopped. */
    patientMs: number;
    /** What runs may take when the agent is asked to stop. */
    farewellMs: number;
    reconnectDelay: (failures: number) => number;
}

const timings: AgentTimings = {
    health: healthPolicy,
    patientMs: PATIENT_DELAY_MS,
    farewellMs: FAREWELL_MS,
    reconnectDelay,
};

/** Keeps a link to the API and relays what comes over it. */
export class TunnelAgent {
    readonly #options: AgentOptions;
    readonly #reporter: Reporter;
    readonly #timings: AgentTimings;
    // The deadlines are the tunnel's: a model may well think for longer than a client's default.
    readonly #dispatcher = new HttpClient({
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: { timeout: CONNECT_TIMEOUT_MS },
    });
    readonly #targets: Targets;
    readonly #stopping = new AbortController();
    readonly #stopped = new Promise<Verdict>((resolve) => {
        this.#stopping.signal.addEventListener('abort', () => resolve(STOPPING), { once: true });
    });
    /** All that are open: beside the current one those that drain. */
    readonly #links = new Set<Link>();
    readonly #running = new Set<LinkRequest>();
    #current: Link | undefined;
    #state: Status['state'] = 'connecting';
    #done = 0;
    #isCompressing = false;
    /** What was said last of endpoints that are not used. */
    #unfollowed = '';

    constructor(options: AgentOptions, reporter: Reporter, changed: Partial<AgentTimings> = {}) {
        this.#options = options;
        this.#reporter = reporter;
        this.#timings = { ...timings, ...changed };
        this.#targets = new Targets(options.targets, this.#dispatcher, this.#timings.health);
    }

    /** Connects, and again whenever it must; gives why it has ended. */
    async run(): Promise<ExitCode> {
        const unwatch = this.#targets.watch((health) => {
            if (this.#current?.isOpen) this.#current.health(health);
        });
        const show = setInterval(() => this.#show(), STATUS_EVERY_MS);
        try {
            return await this.#keepConnected();
        } finally {
            unwatch();
            clearInterval(show);
            await this.#sayFarewell();
            await this.#dispatcher.destroy();
            this.#reporter.end();
        }
    }

    /** Takes nothing new; what runs has ten seconds. */
    stop(): void {
        if (this.#stopping.signal.aborted) return;
        this.#reporter.tell('info', 'Stopping', { running: this.#running.size });
        this.#state = 'stopping';
        this.#stopping.abort();
    }

    /** How many requests are on their way. */
    get running(): number {
        return this.#running.size;
    }

    async #keepConnected(): Promise<ExitCode> {
        let failures = 0;
        while (!this.#isStopping) {
            this.#turn('connecting');
            const since = Date.now();
            const verdict = await this.#connectOnce();
            if (this.#isStopping) break;
            if (Date.now() - since > LASTING_MS) failures = 0;
            const exitCode = this.#options.isOnce ? verdict.onceCode : verdict.exitCode;
            const waitMs = verdict.isPatient ? this.#timings.patientMs : this.#timings.reconnectDelay(failures++);
            this.#tellOf(verdict, exitCode, waitMs);
            if (exitCode !== undefined) return exitCode;
            this.#turn('waiting');
            await sleep(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
        }
        return exitCodes.stopped;
    }

    /** Until the connection is over, or another one is to take its place. */
    async #connectOnce(): Promise<Verdict> {
        let move = (_reason: string): void => undefined;
        const moved = new Promise<Verdict>((resolve) => (move = (reason) => resolve(ofGoAway(reason))));
        try {
            const { socket, transport } = await connect(this.#options, this.#stopping.signal);
            const link = new Link(socket, 'agent', {
                transport,
                onRequest: (request) => void this.#relay(request),
                // One that is to connect only once stays to the end.
                onGoAway: (reason) => !this.#options.isOnce && move(reason),
                // One that drains has nothing to say any more.
                onSettings: (settings) => link === this.#current && this.#follow(settings),
            });
            this.#begin(link);
            return await Promise.race([link.closed.then(ofClose), moved, this.#stopped]);
        } catch (error) {
            return ofFailure(error);
        }
    }

    #begin(link: Link): void {
        this.#links.add(link);
        void link.closed.then(() => this.#links.delete(link));
        this.#current = link;
        link.hello({
            version: 1,
            agent: `llm-tunnel/${packageVersion()}`,
            endpoints: this.#targets.all.map(({ id, priority, weight }) => ({ id, priority, weight })),
        });
        link.health(this.#targets.health);
        this.#turn('connected');
        this.#reporter.tell('info', 'Connected', { tunnel: this.#options.tunnelId, targets: this.#places });
    }

    #follow({ compression, endpoints }: LinkSettings): void {
        this.#isCompressing = compression;
        const before = this.#places;
        const plan = planTargets(this.#options, endpoints);
        this.#targets.follow(plan);
        if (this.#places !== before) this.#reporter.tell('info', 'Requests go elsewhere', { targets: this.#places });
        const reasons = plan.unfollowed.map(({ endpoint, error = '' }) => `${endpoint}: ${error}`).join(', ');
        if (reasons !== this.#unfollowed && reasons !== '') {
            this.#reporter.tell('warn', 'The tunnel has endpoints that are not used', { reasons });
        }
        this.#unfollowed = reasons;
    }

    get #places(): string {
        return this.#targets.all.map(({ url }) => url.href).join(', ');
    }

    async #relay(request: LinkRequest): Promise<void> {
        if (this.#isStopping) return request.fail('refused');
        this.#running.add(request);
        const since = performance.now();
        const requestId = headerOf(request.headers, 'x-request-id');
        try {
            await this.#answer(request);
        } catch (error) {
            this.#reporter.tell('error', 'A request failed', { requestId, reason: String(error) });
            request.fail('internal');
        } finally {
            this.#running.delete(request);
            this.#done++;
            const durationMs = Math.round(performance.now() - since);
            this.#reporter.relayed({ requestId, method: request.method, durationMs });
        }
    }

    #answer(request: LinkRequest): Promise<void> {
        if (request.endpoint === AGENT_ITSELF) return diagnose(request, this.#targets, this.#dispatcher);
        return relay(request, {
            targets: this.#targets,
            dispatcher: this.#dispatcher,
            isCompressing: this.#isCompressing,
        });
    }

    async #sayFarewell(): Promise<void> {
        const deadline = Date.now() + this.#timings.farewellMs;
        while (this.#running.size > 0 && this.#links.size > 0 && Date.now() < deadline) await sleep(FAREWELL_POLL_MS);
        for (const link of this.#links) link.close(1000, 'The agent stops');
        // The other side has said so too, or the socket is cut.
        await Promise.race([Promise.all([...this.#links].map(({ closed }) => closed)), sleep(CLOSE_PATIENCE_MS)]);
    }

    #tellOf({ message }: Verdict, exitCode: ExitCode | undefined, waitMs: number): void {
        if (exitCode !== undefined) this.#reporter.tell('error', message, { exitCode });
        else this.#reporter.tell('warn', message, { retryMs: Math.round(waitMs) });
    }

    #turn(state: Status['state']): void {
        if (!this.#isStopping) this.#state = state;
        this.#show();
    }

    #show(): void {
        this.#reporter.status({ state: this.#state, running: this.#running.size, done: this.#done });
    }

    get #isStopping(): boolean {
        return this.#stopping.signal.aborted;
    }
}
