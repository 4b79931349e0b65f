-- Read a proxy for a request, and note that it is used; one that was stopped because it was idle runs again.
-- KEYS[1] proxy · KEYS[2] events · KEYS[3] audit · KEYS[4] health · KEYS[5] changes of its status
-- ARGV[1] who uses it
-- Returns {1 | 2, {field, value, …}, {tunnel, health, …}} 2: it has just begun to run, {0} not found, {-2} it is stopped
-- @include now
-- @include outbox
-- @include proxy-status
-- @include member-health
-- @include wake-proxy
local EVERY_MS = 60000
local owner, status, desired, used = unpack(redis.call('HMGET', KEYS[1], 'userId', 'status', 'desired', 'lastUsedAt'))
if not owner or owner ~= ARGV[1] then return { 0 } end
if not RUNS[status] and desired ~= 'running' then return { -2 } end

local at = now()
local woken = not RUNS[status]
if woken then wake(KEYS, {}, at) end
if not used or at - used >= EVERY_MS then redis.call('HSET', KEYS[1], 'lastUsedAt', string.format('%d', at)) end
return { woken and 2 or 1, redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[4]) }
