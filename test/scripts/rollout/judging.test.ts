import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { expectPinned } from '../../../scripts/rollout/cluster.ts';
import { compare } from '../../../scripts/rollout/compare.ts';
import { ConflictError } from '../../../scripts/rollout/errors.ts';
import { readCounts, versionIn } from '../../../scripts/rollout/exposition.ts';
import { runPlan, type Step } from '../../../scripts/rollout/plan.ts';
import { between } from '../../../scripts/rollout/traffic.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const bucket = (route: string, le: string, count: number): string =>
    `http_request_duration_seconds_bucket{le="${le}",method="GET",route="${route}",status="200"} ${count}`;
const total = (route: string, status: string, count: number): string =>
    `http_requests_total{method="GET",route="${route}",status="${status}"} ${count}`;

describe('the metrics of a rollout', () => {
    it('counts what clients ask, and times what is not long by nature', () => {
        const { requests, errors, buckets } = readCounts(
            [
                '# HELP http_requests_total Requests that were answered',
                'app_info{version="2.0.0",role="api"} 1',
                total('/api/threads', '200', 90),
                total('/api/threads', '503', 4),
                total('/v1/chat/completions', '500', 6),
                total('/health/ready', '503', 1_000),
                total('/metrics', '200', 1_000),
                bucket('/api/threads', '0.1', 80),
                bucket('/api/threads', '+Inf', 94),
                bucket('/v1/chat/completions', '+Inf', 6),
                bucket('/api/threads/{threadId}/models/{modelId}/messages', '+Inf', 6),
                bucket('/health/ready', '+Inf', 1_000),
            ].join('\n'),
        );
        expect([requests, errors]).to.equal([100, 10]);
        expect([...buckets]).to.equal([
            [0.1, 80],
            [Infinity, 94],
        ]);
    });

    it('finds the version', () => {
        expect(versionIn('# TYPE app_info gauge\napp_info{version="1.2.3",role="all"} 1\n')).to.equal('1.2.3');
        expect(versionIn('nodejs_version_info{version="v22"} 1')).to.be.undefined();
    });

    it('sums what has grown of the pods that were seen twice, also of one that was started again', () => {
        const counts = (requests: number, errors: number, quick: number) => ({
            requests,
            errors,
            buckets: new Map([
                [0.1, quick],
                [0.2, requests],
                [Infinity, requests],
            ]),
        });
        const before = new Map([
            ['a', counts(1_000, 10, 1_000)],
            ['b', counts(500, 500, 0)],
            ['gone', counts(7, 7, 7)],
        ]);
        const after = new Map([
            ['a', counts(1_060, 13, 1_040)],
            ['b', counts(40, 1, 40)],
            ['new', counts(9_999, 9_999, 0)],
        ]);
        const { requests, errors, p95 } = between(before, after);
        expect([requests, errors]).to.equal([100, 4]);
        // 80 took up to 0.1 s and 20 up to 0.2 s: the 95th is at three quarters of the way.
        expect(p95?.toFixed(6)).to.equal('0.175000');
    });
});

describe('compare', () => {
    const thresholds = { minRequests: 50, maxErrors: 1, maxSlowdown: 50 };
    const figures = (requests: number, errors: number, p95: number | null) => ({ requests, errors, p95 });

    it('allows what the thresholds allow and no more', () => {
        const outcomes = (
            [
                [figures(1_000, 10, 0.3), figures(1_000, 0, 0.2)],
                [figures(1_000, 11, 0.3), figures(1_000, 0, 0.2)],
                [figures(1_000, 11, 0.3), figures(100, 1, 0.2)],
                [figures(1_000, 0, 0.31), figures(1_000, 0, 0.2)],
                // Three times as long, and nobody notices.
                [figures(1_000, 0, 0.03), figures(1_000, 0, 0.01)],
                [figures(49, 49, 9), figures(1_000, 0, 0.01)],
                [figures(1_000, 999, 9), figures(49, 0, 0.01)],
                [figures(50, 0, null), figures(50, 0, null)],
            ] as const
        ).map(([fresh, old]) => compare(fresh, old, thresholds).outcome);
        expect(outcomes).to.equal(['fine', 'worse', 'fine', 'worse', 'fine', 'quiet', 'quiet', 'fine']);
    });

    it('says by what it judges', () => {
        const { words } = compare(figures(200, 10, 0.3), figures(400, 1, null), thresholds);
        expect(words).to.equal(
            'more requests fail (new: 200 requests, 5.00 % failed, p95 300 ms; old: 400 requests, 0.25 % failed)',
        );
    });
});

describe('runPlan', () => {
    const signal = new AbortController().signal;
    const planned = async (steps: Partial<Step>[], until = signal) => {
        const told: string[] = [];
        const nothing = () => Promise.resolve();
        const whole = steps.map((step, n) => ({ title: `step ${n}`, run: nothing, ...step }));
        const error: unknown = await runPlan(whole, until, (line) => told.push(line)).catch(
            (reason: unknown) => reason,
        );
        return { told, error: error instanceof Error ? `${error.constructor.name}: ${error.message}` : null };
    };
    const undo = (title: string, run = () => Promise.resolve()) => ({ title, run });
    const fail = (error = new Error('no')) => Promise.reject(error);

    it('takes back what was begun, the last first, also of a step that was done before', async () => {
        const steps = [{ undo: undo('a') }, { isDone: true, undo: undo('b') }, {}, { run: fail, undo: undo('c') }];
        const { told, error } = await planned([...steps, { undo: undo('d') }]);
        expect(told).to.equal(['→ step 0', '→ step 2', '→ step 3', 'Going back: no', '← c', '← b', '← a']);
        expect(error).to.equal('RolledBackError: no');
    });

    it('does not take back what another one has done', async () => {
        const conflict = () => fail(new ConflictError('late'));
        const { told, error } = await planned([{ undo: undo('a') }, { run: conflict, undo: undo('b') }]);
        expect(told.slice(2)).to.equal(['Going back: late', '← a']);
        expect(error).to.equal('ConflictError: late');
    });

    it('goes on with taking back when a part of that fails, and says which', async () => {
        const { told, error } = await planned([{ undo: undo('a') }, { undo: undo('b', fail) }, { run: fail }]);
        expect(told.slice(-2)).to.equal(['← b', '← a']);
        expect(error).to.equal('StuckError: no. Not taken back, please do: b (no)');
    });

    it('does not go back from its last steps, and is not interrupted there', async () => {
        const stop = new AbortController();
        const last = { isFinal: true, run: async () => stop.abort() };
        expect(await planned([{ undo: undo('a') }, last, { isFinal: true }], stop.signal)).to.equal({
            told: ['→ step 0', '→ step 1', '→ step 2'],
            error: null,
        });
        const { told, error } = await planned([{ undo: undo('a') }, { isFinal: true, run: fail }]);
        expect(told).to.equal(['→ step 0', '→ step 1']);
        expect(error).to.equal('StuckError: no. Run it again to go on.');
    });
});

describe('expectPinned', () => {
    it('takes tags and digests, and nothing that moves', () => {
        const digest = `sha256:${'a'.repeat(64)}`;
        for (const image of ['app:1.0.0', 'host:5000/app:abc123', `app@${digest}`, `app:latest@${digest}`]) {
            expectPinned(image);
        }
        for (const image of ['app', 'app:latest', 'host:5000/app', 'app@sha256:abc', 'app:']) {
            expect(() => expectPinned(image)).to.throw(
                `${image} is not pinned: name a tag that is not "latest", or a digest.`,
            );
        }
    });
});
