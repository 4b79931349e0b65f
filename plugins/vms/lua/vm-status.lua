-- Which status may follow which; one that is terminated is removed.
local NEXT = {
    creating = { running = true, error = true, terminated = true },
    running = { stopped = true, terminated = true, error = true },
    stopped = { running = true, terminated = true },
    error = { running = true, stopped = true, terminated = true },
}

local function may_become(from, to) return NEXT[from][to] == true end

local function event_of(type, data) return { 'type', type, 'data', cjson.encode(data) } end

-- The event of a change of status.
local function status_event(key, from, to)
    local id, project, user = unpack(redis.call('HMGET', key, 'id', 'projectId', 'userId'))
    return event_of('vm.status_changed', { vmId = id, projectId = project, userId = user, from = from, to = to })
end

-- Gives a VM another status, and gives the event.
local function become(key, to, at)
    local from = redis.call('HGET', key, 'status')
    redis.call('HSET', key, 'status', to)
    if to == 'running' then
        redis.call('HSET', key, 'startedAt', string.format('%d', at))
    else
        redis.call('HDEL', key, 'startedAt')
    end
    return status_event(key, from, to)
end

-- Notes that something of a VM has changed.
local function touch(key, at)
    redis.call('HSET', key, 'updatedAt', string.format('%d', at))
    redis.call('HINCRBY', key, 'revision', 1)
end

local function end_operation(key)
    redis.call('HDEL', key, 'operation', 'operationId', 'operationAt', 'operationTries', 'operationTriedAt')
end
