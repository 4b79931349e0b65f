-- Read sums of all tenants, requests, active users, and the tenants with the most of something in several periods together:
-- of those that were among the first of one period. What is looked at grows with the periods, not with the tenants.
-- KEYS[1] what the keys of sums begin with · KEYS[2] those of traffic
-- ARGV[1] JSON {figures: [period, …], traffic: [period, …], active: [date, …],
--               top?: {periods: [period, …], by: figure, also: [figure, …], most}}
-- Returns {time of the last roll-up or '', {{figure, value, …}, …}, {{what, count, …}, …}, active users,
--          {{tenant, name or '', value of each figure …}, …} the most first}
local query = cjson.decode(ARGV[1])

local function each(periods, prefix)
    local found = {}
    for n, period in ipairs(periods) do found[n] = redis.call('HGETALL', prefix .. ':' .. period) end
    return found
end

local function leaders(top)
    local ids, known = {}, {}
    for _, period in ipairs(top.periods) do
        local key = KEYS[1] .. ':' .. period .. ':top:' .. top.by
        for _, id in ipairs(redis.call('ZREVRANGE', key, 0, top.most - 1)) do
            if not known[id] then ids[#ids + 1] = id end
            known[id] = true
        end
    end
    if #ids == 0 then return {} end
    local figures = { top.by, unpack(top.also) }
    local sums = {}
    for _, id in ipairs(ids) do sums[id] = {} end
    for _, period in ipairs(top.periods) do
        for n, figure in ipairs(figures) do
            local found = redis.call('ZMSCORE', KEYS[1] .. ':' .. period .. ':top:' .. figure, unpack(ids))
            for m, id in ipairs(ids) do sums[id][n] = (sums[id][n] or 0) + tonumber(found[m] or 0) end
        end
    end
    table.sort(ids, function(a, b)
        if sums[a][1] == sums[b][1] then return a < b end
        return sums[a][1] > sums[b][1]
    end)
    local found = {}
    for n = 1, math.min(top.most, #ids) do
        local line = { ids[n], redis.call('HGET', KEYS[1] .. ':names', ids[n]) or '' }
        for m = 1, #figures do line[#line + 1] = string.format('%.0f', sums[ids[n]][m]) end
        found[n] = line
    end
    return found
end

local active = {}
for n, date in ipairs(query.active) do active[n] = KEYS[2] .. ':active:' .. date end
return {
    redis.call('GET', KEYS[1] .. ':as-of') or '',
    each(query.figures, KEYS[1]),
    each(query.traffic, KEYS[2]),
    #active > 0 and redis.call('PFCOUNT', unpack(active)) or 0,
    query.top and leaders(query.top) or {},
}
