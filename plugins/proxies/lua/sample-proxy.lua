-- Have a proxy follow its load: another replica after a minute above four fifths of its room, one less after five
-- minutes below three tenths, and none at all after ten minutes without a request.
-- KEYS[1] proxy · KEYS[2] events · KEYS[3] audit · KEYS[4] health · KEYS[5] changes of its status
-- KEYS[6] tenant · KEYS[7] what the keys of users begin with
-- ARGV[1] calls that run · ARGV[2] that wait · ARGV[3] replicas by tier, as `<tier>:<figure> …`
-- Returns 1 looked at, 2 scaled, 3 stopped because it is idle, 0 it does not run
-- @include now
-- @include outbox
-- @include quota
-- @include proxy-status
local HIGH, HIGH_MS, LOW, LOW_MS = 0.8, 60000, 0.3, 300000
-- `lastUsedAt` may be a minute behind.
local IDLE_MS, BEHIND_MS = 600000, 60000
-- Samples that are further apart than that say nothing of the time between.
local GAP_MS = 35000

local key = KEYS[1]
local found = redis.call('HMGET', key, 'status', 'userId', 'replicas', 'config', 'startedAt', 'lastUsedAt', 'sampledAt')
local status, user, replicas, config, started, used, sampled = unpack(found)
if not status or not RUNS[status] then return 0 end
local active, waiting, at = tonumber(ARGV[1]), tonumber(ARGV[2]), now()

local last = math.max(tonumber(started), used and used + BEHIND_MS or 0)
if active + waiting == 0 and at - last >= IDLE_MS then
    become(KEYS, 'stopped', 'idle', at)
    redis.call('DEL', KEYS[4])
    return 3
end

config, replicas = cjson.decode(config), tonumber(replicas)
redis.call('HSET', key, 'sampledAt', string.format('%d', at))
if not config.autoScale or (sampled and at - sampled > GAP_MS) then redis.call('HDEL', key, 'highSince', 'lowSince') end
if not config.autoScale then return 1 end

-- Since when something is so without a break; how long that has been.
local function lasting(field, is_so)
    if not is_so then
        redis.call('HDEL', key, field)
        return 0
    end
    redis.call('HSETNX', key, field, string.format('%d', at))
    return at - tonumber(redis.call('HGET', key, field))
end

local function most()
    local tier = redis.call('HGET', KEYS[7] .. user, 'tier') or redis.call('HGET', KEYS[6], 'plan') or ''
    local of_tier = tonumber((' ' .. ARGV[3]):match(' ' .. tier .. ':(%d+)')) or 0
    return quota_of(redis.call('HGET', KEYS[6], 'limits'), 'replicasPerProxy', of_tier)
end

local load = active / (replicas * config.maxConnections) + waiting
local high, low = lasting('highSince', load > HIGH), lasting('lowSince', load < LOW)
local to = replicas
if high >= HIGH_MS and replicas < most() then to = replicas + 1 end
if low >= LOW_MS and replicas > 1 then to = replicas - 1 end
if to == replicas then return 1 end

redis.call('HSET', key, 'replicas', to)
redis.call('HDEL', key, 'highSince', 'lowSince')
touch(key, at)
tell(KEYS, 'scaled', { from = replicas, to = to, reason = 'load' }, at)
local details = cjson.encode({ from = replicas, to = to, reason = 'load' })
local entry = { 'action', 'proxy.scale', 'resource', 'proxy', 'resourceId', redis.call('HGET', key, 'id'),
    'result', 'success', 'details', details }
append_entries(KEYS[2], KEYS[3], { events = {}, audit = { entry } }, at)
return 2
