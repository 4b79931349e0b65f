import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { parse } from 'yaml';

import { packageRoot } from '../../src/package-root.ts';
import { parseMetrics } from '../helpers/metrics.ts';
import { startProcess, type TestProcess } from '../helpers/process.ts';
import { newClient, post } from '../helpers/program.ts';
import { startReceiver } from '../helpers/webhook.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const read = (name: string): string => readFileSync(join(packageRoot(), 'k8s/monitoring', name), 'utf8');

interface Rule {
    alert: string;
    expr: string;
    labels: { severity: string };
    annotations: { summary: string; description: string };
}
interface Panel {
    id: number;
    title: string;
    targets?: { expr: string; legendFormat: string }[];
}

const rules = (): Rule[] => {
    const file = parse(read('rules.yaml')) as { spec: { groups: { name: string; rules: Rule[] }[] } };
    return file.spec.groups.flatMap((group) => group.rules);
};
const panels = (): Panel[] => (JSON.parse(read('dashboard.json')) as { panels: Panel[] }).panels;
const expressions = (): string[] => [
    ...rules().map(({ expr }) => expr),
    ...panels().flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
];

/** What is added when metrics are scraped: where they are from. */
const OF_SCRAPES = ['instance'];
/** What a metric must not have itself, because it would be another one then. */
const TAKEN = ['job', 'instance'];
const WORDS = new Set(['by', 'without', 'and', 'or', 'unless', 'on', 'bool', 'offset']);

/** The metrics of an expression of PromQL, and the labels that it names of them. */
function namesIn(expr: string): { metrics: string[]; labels: string[] } {
    const matchers = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = '']) => [
        ...inside.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g),
    ]);
    const grouped = [...expr.matchAll(/\b(?:by|without)\s*\(([^)]*)\)/g)].flatMap(([, inside = '']) =>
        inside.split(','),
    );
    const bare = expr
        .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
        .replaceAll(/\b(by|without)\s*\([^)]*\)/g, ' ')
        .replaceAll(/\b[a-z_]+\s*(?=\()/g, ' ');
    const metrics = [...bare.matchAll(/\b[a-z_][a-z0-9_]*\b/g)]
        .map(([name]) => name)
        .filter((name) => !WORDS.has(name));
    return {
        metrics: [...new Set(metrics)],
        labels: [...matchers.map(([, name = '']) => name), ...grouped.map((name) => name.trim())],
    };
}

describe('namesIn', () => {
    it('finds metrics and labels', () => {
        const expr = 'topk(3, sum by (le, a) (rate(x_total{b=~"c|d", e!="f{g}"}[5m]))) / max(y) > 0.5';
        expect(namesIn(expr).metrics).to.equal(['x_total', 'y']);
        expect(namesIn('a_b unless on (x) c').metrics).to.include(['a_b', 'c']);
        expect(namesIn('sum by (le) (rate(x{b="c"}[$__rate_interval])) / 1e6')).to.equal({
            metrics: ['x'],
            labels: ['b', 'le'],
        });
    });
});

describe('k8s/monitoring', () => {
    let program: TestProcess;
    /** Every metric with the labels that its samples have. */
    let exported: Map<string, Set<string>>;

    const scrape = async (): Promise<Map<string, Set<string>>> => {
        const found = new Map<string, Set<string>>();
        const text = await (await fetch(`${program.url}/metrics`)).text();
        for (const { name, labels } of parseMetrics(text)) {
            found.set(name, new Set([...(found.get(name) ?? []), ...Object.keys(labels)]));
        }
        return found;
    };

    before(async () => {
        program = await startProcess({ WEBHOOK_ALLOW_PRIVATE: 'true' });
        const { token, thread } = await newClient(program.url);
        const receiver = await startReceiver();
        const filter = { events: ['thread.*'] };
        await post(`${program.url}/api/webhooks`, { url: receiver.url, filter }, token);
        await post(`${program.url}/api/threads/${thread}/models/sandbox/messages`, { content: 'Hello' }, token);
        await fetch(`${program.url}/nowhere`);
        const tunnel = await post(`${program.url}/api/tunnels`, { name: 'home' }, token);
        await fetch(`${program.url}/api/tunnels/${tunnel.data.tunnel.id}/http/`, {
            headers: { authorization: `Bearer ${token}` },
        });
        const isThere = () => ['event_relay_lag_seconds_bucket', 'jobs_total'].every((name) => exported.has(name));
        exported = await scrape();
        for (let tries = 0; tries < 500 && !isThere(); tries++) {
            await sleep(50);
            exported = await scrape();
        }
        await receiver.stop();
    });

    after(() => program.stop());

    it('asks for metrics that a running program exports, and for labels that they have', () => {
        const asked = expressions();
        expect(asked.length).to.be.above(50);
        for (const expr of asked) {
            const { metrics, labels } = namesIn(expr);
            expect(metrics.length, expr).to.be.above(0);
            expect(
                metrics.filter((name) => !exported.has(name)),
                expr,
            ).to.equal([]);
            const had = new Set([...OF_SCRAPES, ...metrics.flatMap((name) => [...(exported.get(name) ?? [])])]);
            expect(
                labels.filter((name) => !had.has(name)),
                expr,
            ).to.equal([]);
        }
    });

    it('has no label that Prometheus sets', () => {
        const taken = [...exported].filter(([, labels]) => TAKEN.some((label) => labels.has(label)));
        expect(taken.map(([name]) => name)).to.equal([]);
    });

    it('shows every metric of ours somewhere', () => {
        const shown = new Set(expressions().flatMap((expr) => namesIn(expr).metrics));
        const base = (name: string) => name.replace(/_(bucket|sum|count)$/, '');
        const seen = new Set([...shown].map(base));
        const ours = [...exported.keys()].filter((name) => !/^(process|nodejs)_/.test(name)).map(base);
        expect(ours.filter((name) => !seen.has(name))).to.equal([]);
    });

    it('names in texts and legends labels that the expression leaves', () => {
        const legends = panels().flatMap(({ targets = [] }) => targets.map((t) => [t.expr, t.legendFormat] as const));
        const texts = rules().map(({ expr, annotations }) => [expr, annotations.description] as const);
        for (const [expr, text] of [...legends, ...texts]) {
            const used = [...text.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map(([, name = '']) => name);
            const left = [...OF_SCRAPES, ...namesIn(expr).labels];
            expect(
                used.filter((name) => name !== 'value' && !left.includes(name)),
                `${expr}: ${text}`,
            ).to.equal([]);
        }
    });

    it('has alerts of one name each, with a severity and a text', () => {
        const all = rules();
        expect(new Set(all.map(({ alert }) => alert)).size).to.equal(all.length);
        for (const { alert, labels, annotations } of all) {
            expect(['warning', 'critical'], alert).to.include(labels.severity);
            expect(annotations.summary.length, alert).to.be.above(5);
        }
        const has = (part: string) => all.some(({ expr }) => expr.includes(part));
        for (const mark of ['> 0.5', '> 1', '> 0.05', '> 0.1', '> 0.7', '> 0.9', '> 0.75', '> 5', '> 20']) {
            expect(has(mark), mark).to.be.true();
        }
        expect(new Set(panels().map(({ id }) => id)).size).to.equal(panels().length);
    });
});
