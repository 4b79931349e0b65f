# The image of the API, the worker and the commands of operators. It has no Redis: give it REDIS_URL, and see the README
# for the secrets that production asks for.
#
#   docker build --build-arg BUILD_COMMIT="$(git rev-parse HEAD)" --build-arg BUILD_TIME="$(date -u +%FT%TZ)" -t llm-api-layer:0.1.0 .
#
# Any image with Node.js 20.19 or newer will do as the base, node:24-slim for one.
ARG BASE=node:24-alpine

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src src
COPY plugins plugins
COPY scripts scripts
RUN node_modules/.bin/tsc --sourceMap false && node dist/scripts/copy-assets.js && rm dist/scripts/copy-assets.js dist/.tsbuildinfo

FROM ${BASE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts
COPY scripts/image/prune.sh ./
RUN sh prune.sh node_modules

FROM ${BASE}
# All is root's but the data, so the program cannot change itself, whether the tree is mounted read-only or not.
RUN echo 'app:x:1001:1001:llm-api-layer:/tmp:/sbin/nologin' >> /etc/passwd \
    && echo 'app:x:1001:' >> /etc/group \
    && mkdir -m 700 /data && chown 1001:1001 /data
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./

# Room for new objects, in MiB, as Node.js has it on a machine: in a pod with 512 MiB it would take one, and half of the
# processor's time would go into collecting them.
ENV NODE_ENV=production DATA_DIR=/data NODE_OPTIONS=--max-semi-space-size=16
USER 1001:1001
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "dist/scripts/image/health-check.js"]
# The base image's entry point is a shell script; without it the program is the first process, and has the signals.
ENTRYPOINT ["node"]
CMD ["dist/src/main.js"]

# Last, because they differ with each build. Without them the version that the API tells of has no commit and no time.
ARG BUILD_COMMIT=""
ARG BUILD_TIME=""
ENV BUILD_COMMIT=${BUILD_COMMIT} BUILD_TIME=${BUILD_TIME}
LABEL org.opencontainers.image.title="llm-api-layer" \
    org.opencontainers.image.description="Multi-tenant backend for LLM applications" \
    org.opencontainers.image.revision="${BUILD_COMMIT}" \
    org.opencontainers.image.created="${BUILD_TIME}"
