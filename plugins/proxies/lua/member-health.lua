-- In a row, before a member counts as unhealthy, and as healthy again.
local FAILURES, SUCCESSES = 3, 2

-- Notes what was seen of a member. One that nobody has looked at counts as healthy; where `decides` is true the first
-- look says how it is.
-- seen: {tunnelId, isSuccess, latencyMs, error?}
local function see(health, seen, at, decides)
    local text = redis.call('HGET', health, seen.tunnelId)
    local was = text and cjson.decode(text) or { isHealthy = true, failures = 0, successes = 0 }
    local isFirst = decides and not text
    local is = { isHealthy = was.isHealthy, failures = 0, successes = 0, checkedAt = at }
    if seen.latencyMs ~= cjson.null then is.latencyMs = seen.latencyMs end
    if seen.isSuccess then
        is.successes = was.successes + 1
        if is.successes >= SUCCESSES then is.isHealthy = true end
    else
        is.failures = was.failures + 1
        is.error = seen.error
        if isFirst or is.failures >= FAILURES then is.isHealthy = false end
    end
    redis.call('HSET', health, seen.tunnelId, cjson.encode(is))
end

-- The status that follows from the members' health.
local function status_by_health(keys)
    local members = cjson.decode(redis.call('HGET', keys[1], 'members'))
    local unhealthy = 0
    for _, member in ipairs(members) do
        local text = redis.call('HGET', keys[4], member.tunnelId)
        if text and not cjson.decode(text).isHealthy then unhealthy = unhealthy + 1 end
    end
    if unhealthy == 0 then return 'running' end
    return unhealthy == #members and 'error' or 'degraded'
end

-- Has the status of a proxy that runs follow the health of its members. Returns what it is then.
local function settle(keys, at)
    local status = redis.call('HGET', keys[1], 'status')
    if not RUNS[status] then return status end
    local to = status_by_health(keys)
    become(keys, to, to == 'error' and 'unhealthy' or nil, at)
    return to
end

-- Whether a tunnel is a member of the proxy.
local function is_member(key, tunnel)
    for _, member in ipairs(cjson.decode(redis.call('HGET', key, 'members'))) do
        if member.tunnelId == tunnel then return true end
    end
    return false
end
