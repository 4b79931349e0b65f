/** Agents of many tunnels in one process: `llm-tunnel` as often as there are lines of tokens in the file. */
import { readFileSync } from 'node:fs';

import { TunnelAgent } from '../../../plugins/tunnels/agent/agent.ts';
import { readOptions } from '../../../plugins/tunnels/agent/options.ts';

import type { Reporter } from '../../../plugins/tunnels/agent/reporter.ts';

const { API_URL = '', TARGET = '', TOKENS = '' } = process.env;
const tokens = readFileSync(TOKENS, 'utf8').trim().split('\n');
let connected = 0;

const reporter: Reporter = {
    tell: (_level, message) => {
        if (message === 'Connected' && ++connected === tokens.length) process.stdout.write(`listening on ${API_URL}\n`);
    },
    relayed: () => undefined,
    status: () => undefined,
    end: () => undefined,
};

const agents = tokens.map((token) => {
    const options = readOptions(['--url', API_URL, '--target', TARGET, '--token', token], {});
    if (options === 'help') throw new Error('No options');
    return new TunnelAgent(options, reporter);
});
for (const agent of agents) void agent.run();
process.once('SIGTERM', () => {
    for (const agent of agents) agent.stop();
});
