-- Creates a schedule; its next time is in its fields when it is switched on.
local function put_schedule(schedule, list, prefix, at)
    local key, time = prefix .. schedule.id, string.format('%d', at)
    redis.call('HSET', key, 'id', schedule.id, 'revision', 1, 'createdAt', time, 'updatedAt', time,
        unpack(schedule.fields))
    redis.call('ZADD', list, time, schedule.id)
end

-- The schedules that every tenant has from the beginning: made when somebody first looks, and once.
local function make_defaults(made, defaults, list, prefix, at)
    if not redis.call('SET', made, 1, 'NX') then return end
    for n, schedule in ipairs(defaults) do put_schedule(schedule, list, prefix, at - #defaults + n) end
end
