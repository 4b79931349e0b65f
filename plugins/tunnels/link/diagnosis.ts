import { asList, asRecord, isCount, isText, must } from './heads.ts';

import type { RequestHead } from './types.ts';

/** What one test found out. */
export interface Probe {
    /** `skipped`: there was nothing to test, or something before it has failed. */
    status: 'passed' | 'failed' | 'skipped';
    /** Null: it was skipped. */
    durationMs: number | null;
    message: string;
}

/** How a target is reached, step by step. */
export interface TargetDiagnosis {
    endpoint: string;
    nameResolution: Probe;
    upstream: Probe;
}

/** No endpoint is called so: what is sent there is for the agent itself. Clients' requests name no endpoint at all. */
export const AGENT_ITSELF = '@agent';
/** The agent answers at once, and with what it finds out when it has that. */
export const DIAGNOSE: RequestHead = { method: 'GET', path: '/diagnosis', headers: [], endpoint: AGENT_ITSELF };
/** Bytes of a diagnosis. */
export const MOST_DIAGNOSIS = 64 * 1024;

const LONGEST_MESSAGE = 300;

export const formatDiagnosis = (targets: TargetDiagnosis[]): Buffer => Buffer.from(JSON.stringify(targets));

/** @throws ProtocolError */
export const parseDiagnosis = (bytes: Uint8Array): TargetDiagnosis[] =>
    asList(bytes, 'diagnosis').map((item) => {
        const { endpoint, nameResolution, upstream } = asRecord(item, 'diagnosis');
        must(isText(endpoint), 'diagnosis');
        return { endpoint, nameResolution: parseProbe(nameResolution), upstream: parseProbe(upstream) };
    });

function parseProbe(value: unknown): Probe {
    const { status, durationMs, message } = asRecord(value, 'probe');
    must(status === 'passed' || status === 'failed' || status === 'skipped', 'probe');
    must((durationMs === null || isCount(durationMs)) && isText(message), 'probe');
    return { status, durationMs, message: message.slice(0, LONGEST_MESSAGE) };
}

export const skipped = (message: string): Probe => ({ status: 'skipped', durationMs: null, message });

/** A test, by what it says when it passes or throws, and how long that took. */
export async function probe(test: () => Promise<string>, describe: (error: unknown) => string): Promise<Probe> {
    const since = Date.now();
    const ended = (status: Probe['status'], message: string): Probe => ({
        status,
        durationMs: Date.now() - since,
        message: message.slice(0, LONGEST_MESSAGE),
    });
    return test().then(
        (message) => ended('passed', message),
        (error: unknown) => ended('failed', describe(error)),
    );
}
