import { Readable } from 'node:stream';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { anthropic } from '../../../../plugins/models/providers/anthropic.ts';
import { google } from '../../../../plugins/models/providers/google.ts';
import { ollama } from '../../../../plugins/models/providers/ollama.ts';
import { openAi } from '../../../../plugins/models/providers/openai.ts';
import { fixture } from '../../../helpers/provider.ts';
import { callOver, KEY, WIRES, type TestWire } from '../../../helpers/wires.ts';

import type { StreamPart } from '../../../../plugins/models/api.ts';
import type { Transport } from '../../../../plugins/models/providers/transport.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const ADAPTERS = { anthropic, google, ollama, openai: openAi };

/** A connection that hands over exactly these chunks: over a socket they may come together. */
const handing =
    (chunks: Buffer[]): Transport =>
    () =>
        Promise.resolve({ status: 200, headers: {}, body: Readable.from(chunks) });

async function partsOf(wire: TestWire, chunks: Buffer[]): Promise<StreamPart[]> {
    const options = { send: handing(chunks), apiKey: KEY };
    const adapter = ADAPTERS[wire.model.provider as keyof typeof ADAPTERS](options);
    const parts: StreamPart[] = [];
    for await (const batch of adapter.stream(callOver(wire), new AbortController().signal)) parts.push(...batch);
    return parts;
}

describe('A stream cut into other chunks', () => {
    for (const wire of WIRES) {
        for (const name of wire.recordings) {
            it(`has the same parts wherever it is cut in two, and byte by byte (${name})`, async () => {
                const body = fixture(name);
                const whole = JSON.stringify(await partsOf(wire, [body]));
                expect(whole).to.include('"type":"finish"');
                const bytes = Array.from(body, (_, at) => body.subarray(at, at + 1));
                expect(JSON.stringify(await partsOf(wire, bytes))).to.equal(whole);
                for (let at = 1; at < body.length; at++) {
                    const parts = await partsOf(wire, [body.subarray(0, at), body.subarray(at)]);
                    expect(JSON.stringify(parts), `cut at ${at}`).to.equal(whole);
                }
            });
        }
    }
});
