import { ConnectionRefused } from './connect.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { CLOSE_CODES } from '../link/close-codes.ts';

/** What to do when there is no connection (any more), and what to say of it. */
export interface Verdict {
    message: string;
    /** Connecting again is of no use. */
    exitCode?: ExitCode;
    /** Connect again, but without haste: somebody has to change something first. */
    isPatient?: boolean;
    /** With --once this is not the network's fault. */
    onceCode: ExitCode;
}

const REFUSED = 'The token is refused: take a new one (POST /api/tunnels/{id}/token)';
const STOPPED = 'The tunnel is stopped: waiting for it to be started';

const WHY = new Map<number, string>([
    [CLOSE_CODES.restart, 'the server restarts'],
    [CLOSE_CODES.deadPeer, 'the other side does not answer'],
]);

const authentication: Verdict = {
    message: REFUSED,
    exitCode: exitCodes.authentication,
    onceCode: exitCodes.authentication,
};
const stopped: Verdict = { message: STOPPED, isPatient: true, onceCode: exitCodes.replaced };
const replaced: Verdict = {
    message: 'Another agent has taken the tunnel over',
    exitCode: exitCodes.replaced,
    onceCode: exitCodes.replaced,
};

/** Of a try to connect that failed. */
export function ofFailure(error: unknown): Verdict {
    const status = error instanceof ConnectionRefused ? error.status : null;
    if (status === 403) return { ...authentication, message: 'The API refuses the connection: does it want https://?' };
    if (status === 401 || status === 404) return authentication;
    if (status === 409) return stopped;
    const reason = error instanceof Error ? error.message : String(error);
    return { message: `No connection: ${reason}`, onceCode: exitCodes.network };
}

/** Of a connection that was there, by the code it was closed with. */
export function ofClose({ code, reason }: { code: number; reason: string }): Verdict {
    if (code === CLOSE_CODES.authentication) return authentication;
    if (code === CLOSE_CODES.stopped) return stopped;
    if (code === CLOSE_CODES.replaced) return replaced;
    return { message: `The connection is lost: ${WHY.get(code) ?? (reason || code)}`, onceCode: exitCodes.network };
}

/** Of a server that is about to stop: what runs on the old connection goes on beside the new one. */
export const ofGoAway = (reason: string): Verdict => ({
    message: `The server is about to stop, connecting anew${reason === '' ? '' : `: ${reason}`}`,
    onceCode: exitCodes.network,
});
