import { createHash, randomBytes } from 'node:crypto';

import { canonicalJson } from './canonical-json.ts';
import { damaged } from './faults.ts';
import { KEY_BYTES, PREFIX_BYTES, type ChunkKey } from './sealed-chunks.ts';
import { apiError } from '../../../src/http/errors.ts';

import type { Vault } from '../../../src/security/vault.ts';
import type { ByteReader } from '../byte-reader.ts';

const MAGIC = Buffer.from('LLMBKUP\n', 'latin1');
const FORMAT_VERSION = 1;
const START_BYTES = MAGIC.length + 1 + 4;
const MAX_PREAMBLE_BYTES = 4_096;

/** Whose archive a file is. */
export interface ArchivePlace {
    tenantId: string;
    backupId: string;
}

interface Preamble extends ArchivePlace {
    /** Data key and nonce prefix, sealed by the vault. */
    key: string;
}

const purposeOf = ({ tenantId, backupId }: ArchivePlace): string => `backup archive ${tenantId} ${backupId}`;

const chunkKey = (secret: Buffer, preamble: Buffer): ChunkKey => ({
    key: secret.subarray(0, KEY_BYTES),
    prefix: secret.subarray(KEY_BYTES),
    associated: createHash('sha256').update(preamble).digest(),
});

/** A new data key, and what stands in front of the chunks that it seals. */
export function newPreamble(vault: Vault, { tenantId, backupId }: ArchivePlace): { bytes: Buffer; sealing: ChunkKey } {
    const secret = randomBytes(KEY_BYTES + PREFIX_BYTES);
    const key = vault.seal(secret.toString('base64url'), purposeOf({ tenantId, backupId }));
    const json = Buffer.from(canonicalJson({ tenantId, backupId, key } satisfies Preamble), 'utf8');
    const start = Buffer.alloc(START_BYTES);
    MAGIC.copy(start);
    start.writeUInt8(FORMAT_VERSION, MAGIC.length);
    start.writeUInt32BE(json.length, MAGIC.length + 1);
    const bytes = Buffer.concat([start, json]);
    return { bytes, sealing: chunkKey(secret, bytes) };
}

/** @throws BACKUP_DAMAGED, BACKUP_FOREIGN, BACKUP_TOO_NEW */
export async function readPreamble(file: ByteReader, vault: Vault, asked: ArchivePlace): Promise<ChunkKey> {
    const start = await file.take(START_BYTES);
    if (start.length === 0) throw damaged('missing');
    if (!start.subarray(0, MAGIC.length).equals(MAGIC.subarray(0, start.length))) throw damaged('altered');
    if (start.length < START_BYTES) throw damaged('truncated');
    if (start.readUInt8(MAGIC.length) > FORMAT_VERSION) throw apiError('BACKUP_TOO_NEW');
    const length = start.readUInt32BE(MAGIC.length + 1);
    if (length > MAX_PREAMBLE_BYTES) throw damaged('altered');
    const json = await file.take(length);
    if (json.length < length) throw damaged('truncated');
    const found = parsePreamble(json);
    if (found.tenantId !== asked.tenantId || found.backupId !== asked.backupId) throw apiError('BACKUP_FOREIGN');
    const secret = vault.open(found.key, purposeOf(asked));
    if (secret === null) throw damaged('unopened', new Error(`Is its master key in VAULT_KEYS? ${keyName(found.key)}`));
    return chunkKey(Buffer.from(secret, 'base64url'), Buffer.concat([start, json]));
}

function parsePreamble(json: Buffer): Preamble {
    try {
        const { tenantId, backupId, key }: Record<string, unknown> = JSON.parse(json.toString('utf8'));
        if (typeof tenantId === 'string' && typeof backupId === 'string' && typeof key === 'string') {
            return { tenantId, backupId, key };
        }
    } catch (error) {
        throw damaged('altered', error);
    }
    throw damaged('altered');
}

const keyName = (token: string): string => token.split('.')[1] ?? '';
