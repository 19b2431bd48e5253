/// The files that the gateway keeps, and those below which they lie.
extension HostCheck {
    static let stateWorldWritable = HostCheck(
        .state, "fs.state_dir.perms_world_writable", "any user of the host can replace the gateway's configuration")
    static let stateGroupWritable = HostCheck(
        .state, "fs.state_dir.perms_group_writable", "a group's members can replace the gateway's configuration")
    static let stateReadable = HostCheck(
        .state, "fs.state_dir.perms_readable", "others see what is in it, and reach every file in it that is not closed"
    )
    static let stateLink = HostCheck(
        .state, "fs.state_dir.symlink", "who can change the link decides which configuration counts")
    static let stateOwner = HostCheck(
        .state, "host.state_dir.owner", "its owner can change everything in it, and is not who the gateway runs as")
    static let configWritable = HostCheck(
        .state, "fs.config.perms_writable", "who writes the configuration decides what the agent may do")
    static let configGroupReadable = HostCheck(
        .state, "fs.config.perms_group_readable", "tokens and keys in it are a group's to read")
    static let configWorldReadable = HostCheck(
        .state, "fs.config.perms_world_readable", "tokens and keys in it are everybody's to read")
    static let configLink = HostCheck(
        .state, "fs.config.symlink", "OpenClaw replaces its configuration by renaming, and a link leads elsewhere")
    static let includeWritable = HostCheck(
        .state, "fs.config_include.perms_writable", "an included file is configuration like the rest")
    static let includeGroupReadable = HostCheck(
        .state, "fs.config_include.perms_group_readable", "secrets in an included file are a group's to read")
    static let includeWorldReadable = HostCheck(
        .state, "fs.config_include.perms_world_readable", "secrets in an included file are everybody's to read")
    static let authWritable = HostCheck(
        .state, "fs.auth_profiles.perms_writable", "others can put accounts of their own in the place of yours")
    static let authReadable = HostCheck(
        .state, "fs.auth_profiles.perms_readable", "keys of the model providers are in it")
    static let credentialsWritable = HostCheck(
        .state, "fs.credentials_dir.perms_writable",
        "others can take a channel over, or add themselves to who may write")
    static let credentialsReadable = HostCheck(
        .state, "fs.credentials_dir.perms_readable", "with these files others are logged in as your channels")
    static let variablesWritable = HostCheck(
        .state, "host.env_file.perms_writable", "variables decide which programs and libraries the gateway loads")
    static let variablesReadable = HostCheck(.state, "host.env_file.perms_readable", "it is where keys are kept")
    static let sessionsWritable = HostCheck(
        .state, "host.sessions.perms_writable", "what stands in a conversation is what the agent believes")
    static let sessionsReadable = HostCheck(
        .state, "host.sessions.perms_readable", "whole conversations are in it, with what was pasted into them")
    static let databaseWritable = HostCheck(
        .state, "host.database.perms_writable", "approvals and pairings are in it")
    static let databaseReadable = HostCheck(
        .state, "host.database.perms_readable", "conversations, pairings and accounts are in it")
    static let logReadable = HostCheck(
        .state, "fs.log_file.perms_readable", "logs have prompts, paths and sometimes secrets in them")
    static let logWritable = HostCheck(
        .state, "host.log_file.perms_writable", "a log that others can write to proves nothing")
    static let logDirectory = HostCheck(
        .state, "host.log_dir.unsafe",
        "environment files and ssh settings of sandboxes pass through it, beside the logs")
    static let fileLink = HostCheck(
        .state, "host.state_file.symlink", "a link in the place of a file leads reading and writing elsewhere")
    static let fileOwner = HostCheck(
        .state, "host.state_file.owner", "its owner can change it at any time, and is not who the gateway runs as")
    static let parentWritable = HostCheck(
        .state, "host.path.writable",
        "who can write to a directory above can put another one in the place of the state's")
    static let parentOwner = HostCheck(
        .state, "host.path.owner", "the owner of a directory above can put another one in the place of the state's")
    static let synced = HostCheck(
        .state, "fs.synced_dir", "what is in it is copied to other machines, and to whoever runs the service")

    static let state = [
        stateWorldWritable, stateGroupWritable, stateReadable, stateLink, stateOwner, configWritable,
        configGroupReadable, configWorldReadable, configLink, includeWritable, includeGroupReadable,
        includeWorldReadable, authWritable, authReadable, credentialsWritable, credentialsReadable, variablesWritable,
        variablesReadable, sessionsWritable, sessionsReadable, databaseWritable, databaseReadable, logReadable,
        logWritable, logDirectory, fileLink, fileOwner, parentWritable, parentOwner, synced,
    ]
}
