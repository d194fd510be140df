function __sockstat_values
    set -l current (commandline -ct)
    sockstat completions --values -- (commandline -opc) "$current" 2>/dev/null
    or __fish_complete_path "$current"
end

complete -c sockstat -f -k -a '(__sockstat_values)'
