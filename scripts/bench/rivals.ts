import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from '../../src/package-root.ts';

/**
 * The folder with what users could have taken instead. No other part of the project needs it, so it is installed when
 * it is first asked for; the lock file of the installation is kept beside the packages to tell when they are outdated.
 */
export function installRivals(): string {
    const folder = join(packageRoot(), 'scripts/bench/rivals');
    const lock = join(folder, 'package-lock.json');
    const installed = join(folder, 'node_modules/.installed-package-lock.json');
    if (!existsSync(installed) || !readFileSync(lock).equals(readFileSync(installed))) {
        process.stdout.write('gateway: installing what it is compared with (npm ci in scripts/bench/rivals)\n');
        execFileSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], { cwd: folder, stdio: 'inherit' });
        copyFileSync(lock, installed);
    }
    return folder;
}
