import { defineCookies } from './cookies.ts';
import { ensurePlatformAdmin } from './platform-admin.ts';
import { publicLimit } from './public-limit.ts';
import { getMe } from './routes/get-me.ts';
import { login } from './routes/login.ts';
import { logout } from './routes/logout.ts';
import { refresh } from './routes/refresh.ts';
import { register } from './routes/register.ts';
import { accessTokenScheme } from './scheme.ts';
import { AuthService } from './service.ts';
import { AuthStore } from './store.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';
import { AccessTokens } from '../../src/security/access-tokens.ts';
import { Passwords } from '../../src/security/passwords.ts';
import { RefreshTokens } from '../../src/security/refresh-tokens.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const auth: Plugin<Platform> = {
    name: 'auth',
    dependencies: ['tenants', 'users'],
    register: (server, platform) => {
        const { config, store, vault, clock } = platform;
        const { tenants, users } = server.plugins;
        const authStore = new AuthStore(store, vault, tenants, users);
        const accessTokens = new AccessTokens(config.JWT_KEYS, config.ACCESS_TOKEN_TTL, clock);
        const passwords = new Passwords(config.BCRYPT_COST);
        const service = new AuthService({
            config,
            clock,
            store: authStore,
            append: appendOutbox(store),
            tenants,
            users,
            passwords,
            accessTokens,
            refreshTokens: new RefreshTokens(config.JWT_KEYS),
        });

        server.expose('checkPassword', service.checkPassword.bind(service));
        server.auth.scheme('access-token', accessTokenScheme(accessTokens, authStore));
        server.auth.strategy('user', 'access-token');
        server.auth.default('user');
        defineCookies(server, config);
        server.ext('onPreAuth', publicLimit(authStore));
        server.ext('onPreStart', () =>
            ensurePlatformAdmin(config, { tenants, users }, passwords, (text) => process.stdout.write(text)),
        );

        server.route(register(service));
        server.route(login(service, '/api/auth/login'));
        server.route(login(service, '/api/login'));
        server.route(refresh(service));
        server.route(logout(service, '/api/auth/logout'));
        server.route(logout(service, '/api/logout'));
        server.route(getMe(service));
    },
};
