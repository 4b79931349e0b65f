-- Which status may follow which. While a proxy runs, the health of its members decides.
local NEXT = {
    created = { running = true, degraded = true, error = true, stopped = true },
    running = { degraded = true, error = true, stopped = true },
    degraded = { running = true, error = true, stopped = true },
    error = { running = true, degraded = true, stopped = true },
    stopped = { running = true, degraded = true, error = true },
}
local RUNS = { running = true, degraded = true, error = true }
-- How many changes are kept, and what is done of itself about an error: so many checks, so long apart.
local CHANGES, RECOVERIES, RECOVERY_MS = 1000, 3, 5000

-- Notes that something of a proxy has changed.
local function touch(key, at)
    redis.call('HSET', key, 'updatedAt', string.format('%d', at))
    redis.call('HINCRBY', key, 'revision', 1)
end

-- Appends an event of a proxy. `more` is added to what names it.
-- keys, here and below: {proxy, events, audit, health, changes}
local function tell(keys, type, more, at)
    local id, user = unpack(redis.call('HMGET', keys[1], 'id', 'userId'))
    local data = { proxyId = id, userId = user }
    for name, value in pairs(more) do data[name] = value end
    local event = { 'type', 'proxy.' .. type, 'data', cjson.encode(data) }
    append_entries(keys[2], keys[3], { events = { event }, audit = {} }, at)
end

-- Gives a proxy another status, with its event and among its changes; the same one, or one that may not follow, is no
-- change.
local function become(keys, to, reason, at)
    local key = keys[1]
    local from = redis.call('HGET', key, 'status')
    if not NEXT[from][to] then return end
    redis.call('HSET', key, 'status', to, 'statusChangedAt', string.format('%d', at))
    if reason then redis.call('HSET', key, 'reason', reason) else redis.call('HDEL', key, 'reason') end
    redis.call('HDEL', key, 'recovery', 'recoveryAt')
    if to == 'error' then
        redis.call('HSET', key, 'recovery', 0, 'recoveryAt', string.format('%d', at + RECOVERY_MS))
    end
    touch(key, at)
    local number = redis.call('HINCRBY', key, 'changes', 1)
    redis.call('ZADD', keys[5], string.format('%d', at), number .. ':' .. (reason == 'idle' and reason or to))
    redis.call('ZREMRANGEBYRANK', keys[5], 0, -CHANGES - 1)
    tell(keys, 'status_changed', { from = from, to = to, reason = reason }, at)
end
