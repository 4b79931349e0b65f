-- Counters of model calls, by day and by month in UTC. The keys are `<key>:<yyyymmdd>` and `<key>:<yyyymm>`, in the same
-- slot; a field is `<model>:<what>`.
local DAYS_KEPT, MONTHS_KEPT = 92, 25

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

-- Adds a call. counts {field, amount, …}
local function count_usage(key, counts, at)
    local date = date_at(at)
    for name, days in pairs({ [date] = DAYS_KEPT, [date:sub(1, 6)] = MONTHS_KEPT * 31 }) do
        for n = 1, #counts, 2 do redis.call('HINCRBY', key .. ':' .. name, counts[n], counts[n + 1]) end
        redis.call('EXPIRE', key .. ':' .. name, days * 86400)
    end
end
