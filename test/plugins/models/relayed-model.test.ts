import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { relayedModel } from '../../../plugins/models/relayed-model.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const TUNNEL = 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';
const PROXY = 'proxy_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';

describe('relayedModel', () => {
    it('makes a model of the id of a tunnel or a proxy and a name', () => {
        expect(relayedModel(`${TUNNEL}/llama3.2:3b`)).to.include({
            id: `${TUNNEL}/llama3.2:3b`,
            name: 'llama3.2:3b',
            provider: 'ollama',
            upstreamId: 'llama3.2:3b',
            via: { prefix: 'tun', id: TUNNEL },
            aliases: [],
            prices: [],
        });
        expect(relayedModel(`${PROXY}/gemma:2b`)?.via).to.equal({ prefix: 'proxy', id: PROXY });
    });

    it('takes names of registries and of other people', () => {
        for (const name of [
            'hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M',
            'localhost:5000/team/model:v1',
            'a:b',
        ]) {
            expect(relayedModel(`${TUNNEL}/${name}`)?.upstreamId).to.equal(name);
        }
    });

    it('knows a name without a tag as the latest one', () => {
        const [one, same] = [relayedModel(`${TUNNEL}/phi4`), relayedModel(`${TUNNEL}/phi4:latest`)];
        expect(one).to.equal(same);
        expect(one).to.include({ id: `${TUNNEL}/phi4:latest`, upstreamId: 'phi4:latest', aliases: [`${TUNNEL}/phi4`] });
    });

    it('makes nothing of anything else', () => {
        for (const text of [
            'gemma:2b',
            TUNNEL,
            `${TUNNEL}/`,
            `${TUNNEL}//a`,
            `${TUNNEL}/a b`,
            `${TUNNEL}/a\n`,
            `${TUNNEL}/../a`,
            `${TUNNEL}/${'a'.repeat(152)}`,
            `${TUNNEL.toLowerCase()}/a`,
            `vm_01K9ZQ4V7N8M3T5R2W6X1Y0ABC/a`,
            `x${TUNNEL}/a`,
        ]) {
            expect(relayedModel(text), text).to.be.null();
        }
    });
});
