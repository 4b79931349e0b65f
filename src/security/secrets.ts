import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { createFile } from '../create-file.ts';

/** Secrets that development makes for itself, in the form of the settings of the same name. */
export interface GeneratedSecrets {
    JWT_KEYS: string;
    VAULT_KEYS: string;
}

/** Reads `secrets.json` of the data directory, made at the first start and readable by its owner only. */
export function generatedSecrets(dataDir: string): GeneratedSecrets {
    const file = join(dataDir, 'secrets.json');
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const secrets: GeneratedSecrets = {
        JWT_KEYS: `generated:${randomBytes(48).toString('base64url')}`,
        VAULT_KEYS: `generated:${randomBytes(32).toString('base64')}`,
    };
    // Of several processes that start at once one makes the secrets, and the others never see half of them.
    if (createFile(file, `${JSON.stringify(secrets, null, 4)}\n`)) return secrets;
    return JSON.parse(readFileSync(file, 'utf8')) as GeneratedSecrets;
}
