-- The limits of a tenant's month, with what was spent and is held of them. Needs `calendar`, `credits`.
-- Returns {what counts as low, {name, limit or '', spent, held, …}}, amounts in strings; `tenant` is always there
local function limits_of(keys, at)
    local limits, names = {}, { 'tenant' }
    local found = redis.call('HGETALL', keys.credits .. ':limits')
    for n = 1, #found, 2 do
        limits[found[n]] = found[n + 1]
        if found[n] ~= 'tenant' then names[#names + 1] = found[n] end
    end
    local month = keys.credits .. ':month:' .. date_at(at):sub(1, 6)
    local flat = {}
    for _, name in ipairs(names) do
        for _, value in ipairs({ name, limits[name] or '', redis.call('HGET', month, name) or '0',
            redis.call('HGET', keys.credits .. ':held', name) or '0' }) do
            flat[#flat + 1] = value
        end
    end
    return { redis.call('HGET', keys.credits, 'lowCredit') or LOW_CREDIT, flat }
end
