import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import {
    argumentsOf,
    contentParts,
    inlineImage,
    systemText,
    turnsOf,
} from '../../../../plugins/models/providers/messages.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('inlineImage()', () => {
    it('gives the media type and the Base64 of a data: URL, whatever else it says', () => {
        for (const url of ['data:image/png;base64,AA==', 'DATA:image/png;charset=x;BASE64,AA==']) {
            expect(inlineImage(url)).to.equal({ mediaType: 'image/png', data: 'AA==' });
        }
        expect(inlineImage('data:image/png;base64,')).to.equal({ mediaType: 'image/png', data: '' });
    });

    it('gives null for what is elsewhere or in another form', () => {
        const others = [
            'https://example.com/data:image/png;base64,AA==',
            'data:image/png,AA==',
            'data:;base64,AA==',
            '',
        ];
        for (const url of others) expect(inlineImage(url), url).to.be.null();
    });
});

describe('argumentsOf()', () => {
    it('gives the object of a tool call, and an empty one for anything else', () => {
        const given = (text: string) => argumentsOf({ id: 'a', name: 'f', arguments: text });
        expect(given('{"a":[1]}')).to.equal({ a: [1] });
        for (const text of ['', '[1]', '5', 'null', '{"a"']) expect(given(text), text).to.equal({});
    });
});

describe('systemText()', () => {
    it('gives all that the system says, and undefined where that is nothing', () => {
        expect(
            systemText([
                { role: 'system', content: 'a' },
                { role: 'user', content: 'b' },
                { role: 'system', content: [{ type: 'text', text: 'c' }] },
            ]),
        ).to.equal('a\n\nc');
        expect(systemText([{ role: 'system', content: '' }])).to.be.undefined();
        expect(systemText([])).to.be.undefined();
    });
});

describe('turnsOf()', () => {
    it('puts messages of one side together, with the results of tools on the side of the user', () => {
        const turns = turnsOf(
            [
                { role: 'user', content: 'a' },
                { role: 'system', content: 'b' },
                { role: 'user', content: 'c' },
                { role: 'assistant', content: '' },
                { role: 'tool', content: 'd' },
                { role: 'assistant', content: 'e' },
            ],
            ({ content }) => contentParts(content).map((part) => (part.type === 'text' ? part.text : part.url)),
        );
        expect(turns).to.equal([
            { role: 'user', parts: ['a', 'c', 'd'] },
            { role: 'assistant', parts: ['e'] },
        ]);
    });
});
