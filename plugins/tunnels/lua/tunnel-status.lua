-- Which status may follow which; only a link makes a tunnel connected.
local NEXT = {
    created = { connecting = true },
    connecting = { connected = true, disconnected = true },
    connected = { disconnected = true, error = true },
    disconnected = { connecting = true, connected = true },
    error = { connecting = true, connected = true, disconnected = true },
}
local ACTIVITY_LENGTH = 1000

local function may_become(from, to) return NEXT[from][to] == true end

-- Notes something in the activity of a tunnel.
-- what: a flat list of field, value
local function note(activity, type, what)
    redis.call('XADD', activity, 'MAXLEN', ACTIVITY_LENGTH, '*', 'type', type, unpack(what))
end

-- Notes that something of a tunnel has changed.
local function touch(key, at)
    redis.call('HSET', key, 'updatedAt', string.format('%d', at))
    redis.call('HINCRBY', key, 'revision', 1)
end

-- Gives a tunnel another status, with its event and in its activity; the same one is no change.
-- keys: {tunnel, events, audit, activity}
local function become(keys, to, what, at)
    local id, user, from = unpack(redis.call('HMGET', keys[1], 'id', 'userId', 'status'))
    if from == to then return end
    redis.call('HSET', keys[1], 'status', to)
    local data = cjson.encode({ tunnelId = id, userId = user, from = from, to = to })
    local event = { 'type', 'tunnel.status_changed', 'data', data }
    append_entries(keys[2], keys[3], { events = { event }, audit = {} }, at)
    note(keys[4], 'status_changed', { 'from', from, 'to', to, unpack(what) })
end
