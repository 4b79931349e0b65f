-- Counters of model calls, by day and by month in UTC. The keys are `<key>:<yyyymmdd>` and `<key>:<yyyymm>`, in the same
-- slot; a field is `<model>:<what>`. `<key>` ends with the user; without that stand the calls and tokens of all users.
local DAYS_KEPT, MONTHS_KEPT = 92, 25
local OF_TENANT = { calls = 'calls', inputFresh = 'tokens', cacheRead = 'tokens', cacheWrite = 'tokens', output = 'tokens' }

-- The names of the newest days or months, this one first.
local function newest_periods(unit, count, at)
    local names = {}
    local day = math.floor(at / DAY_MS)
    for n = 1, count do
        local date = date_of(day)
        names[n] = unit == 'month' and date:sub(1, 6) or date
        -- The day before it, or the last one of the month before.
        day = day - (unit == 'month' and tonumber(date:sub(7)) or 1)
    end
    return names
end

local function tenant_counts(counts)
    local found = {}
    for n = 1, #counts, 2 do
        local model, what = counts[n]:match('^(.*):([^:]+)$')
        if OF_TENANT[what] then
            found[#found + 1] = model .. ':' .. OF_TENANT[what]
            found[#found + 1] = counts[n + 1]
        end
    end
    return found
end

-- Adds a call. counts {field, amount, …}
local function count_usage(key, counts, at)
    local date = date_at(at)
    local all = { [key] = counts, [key:match('^(.*):[^:]+$')] = tenant_counts(counts) }
    for name, days in pairs({ [date] = DAYS_KEPT, [date:sub(1, 6)] = MONTHS_KEPT * 31 }) do
        for of, added in pairs(all) do
            local sums = of .. ':' .. name
            for n = 1, #added, 2 do redis.call('HINCRBY', sums, added[n], added[n + 1]) end
            redis.call('EXPIRE', sums, days * 86400)
        end
    end
end
