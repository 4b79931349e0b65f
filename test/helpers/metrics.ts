import { expect } from '@hapi/code';

import type { TestApp } from './app.ts';

/** A line of the exposition. */
export interface Sample {
    name: string;
    labels: Record<string, string>;
    value: number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;

/** The samples of a text in Prometheus' form. */
export const parseMetrics = (text: string): Sample[] =>
    text
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => {
            const [, name = '', labels = '', value = ''] = LINE.exec(line) ?? [];
            if (name === '') throw new Error(`Not a sample: ${line}`);
            const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, of]) => [key, of]);
            return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) };
        });

export async function readMetrics(app: TestApp): Promise<Sample[]> {
    const { status, text } = await app.call('GET', '/metrics');
    expect(status).to.equal(200);
    return parseMetrics(text);
}

/** The sum of all samples of that name which have these labels. */
export async function sumOf(app: TestApp, name: string, labels: Record<string, string> = {}): Promise<number> {
    const samples = await readMetrics(app);
    const isMeant = (sample: Sample) =>
        sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value);
    return samples.filter(isMeant).reduce((sum, { value }) => sum + value, 0);
}

/** By how much a metric has grown while something was done. */
export async function growth(
    app: TestApp,
    name: string,
    labels: Record<string, string>,
    work: () => Promise<unknown>,
): Promise<number> {
    const before = await sumOf(app, name, labels);
    await work();
    return (await sumOf(app, name, labels)) - before;
}
