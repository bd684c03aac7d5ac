"""The script that secures SanteDB on Windows; what it says of itself stands above each of its lines."""

from __future__ import annotations

TEXT = """\
# Secures SanteDB (@PRODUCT@) on this machine with TLS. Run it in an elevated PowerShell:
#   powershell -ExecutionPolicy Bypass -File .\\secure-santedb.ps1
# It asks for the password that stands in @PASSWORD@. It can be run again when it was stopped halfway.

# The configuration file that is replaced; left out, it is looked for in the folder of the program.
param([string]$Config = '')

# Any error ends the script, so that nothing goes on after half of a step.
$ErrorActionPreference = 'Stop'

# The folder that this script was copied to, with the other files beside it.
$here = Split-Path -Parent $MyInvocation.MyCommand.Path

# Who runs it, and as what.
$me = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())

# Only administrators may change the certificates of the machine and what is bound to its ports.
if (-not $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
    # Nothing has been changed yet.
    throw 'Run it as administrator.'
}

# The Windows service that runs the program, whatever its name is.
$service = @(Get-CimInstance Win32_Service | Where-Object { $_.PathName -like '*@PROGRAM@*' })

# With none, or with several instances, it cannot be told which one is meant.
if ($service.Count -ne 1) {
    # Nothing has been changed yet.
    throw "There are $($service.Count) services that run @PROGRAM@; this script needs one."
}

# The folder of the program, as the service has it.
$folder = Split-Path -Parent ($service[0].PathName -replace '^"?(.*?@PROGRAM@).*$', '$1')

# Where the configuration lies, unless it was given.
if (-not $Config) {
    # As the product looks for it itself.
    $Config = Join-Path $folder @CONFIG@
}

# What the file says now.
$now = (Get-FileHash -Algorithm SHA256 $Config).Hash

# It must be the one that was edited, or the edited one already: what has changed since would be lost.
if ($now -ne '@BEFORE@' -and $now -ne '@AFTER@') {
    # Nothing has been changed yet.
    throw "$Config is not the file that was edited; make these files anew from it."
}

# The password of the certificate's file, which is not shown.
$password = Read-Host -AsSecureString 'Password, from @PASSWORD@'

# Certificate and key in one file.
$bundle = Join-Path $here '@BUNDLE@'

# They go to the machine's own store, where http.sys looks for them.
$made = Import-PfxCertificate $bundle -CertStoreLocation 'Cert:\\LocalMachine\\My' -Password $password

# The thumbprint tells whether it is the certificate that was made for this machine.
if (-not ($made | Where-Object { $_.Thumbprint -eq '@THUMBPRINT@' })) {
    # Nothing has been bound yet.
    throw 'The file holds another certificate.'
}

# Each port with TLS gets the certificate.
foreach ($port in @(@PORTS@)) {
    # One that was bound before is in the way; with none this fails, which does no harm.
    & netsh http delete sslcert "ipport=0.0.0.0:$port" | Out-Null
    # Binds the certificate, with the product's own identifier, to the port on every address.
    & netsh http add sslcert "ipport=0.0.0.0:$port" 'certhash=@THUMBPRINT@' 'appid=@APPID@' 'certstorename=MY'
    # netsh tells by its status whether that was done.
    if ($LASTEXITCODE -ne 0) {
        # Its own message stands above.
        throw "The certificate could not be bound to port $port."
    }
}

# The account of the service, where one was given.
$account = @ACCOUNT@

# Else as Windows has it.
if (-not $account) {
    # The account the service logs on as.
    $account = $service[0].StartName
}

# Accounts other than the system's own need a reservation, for https and with the slash at the end.
if ($account -ne 'LocalSystem') {
    # Each address on which the service listens.
    foreach ($url in @(@URLS@)) {
        # One that was made before is in the way; with none this fails, which does no harm.
        & netsh http delete urlacl "url=$url" | Out-Null
        # Lets the account listen there.
        & netsh http add urlacl "url=$url" "user=$account"
        # netsh tells by its status whether that was done.
        if ($LASTEXITCODE -ne 0) {
            # Its own message stands above.
            throw "$url could not be reserved for $account."
        }
    }
}

# A configuration that is replaced is kept beside the new one.
if ($now -eq '@BEFORE@') {
    # The way back: copy this one over the new one, and restart the service.
    Copy-Item $Config "$Config.before-tls"
    # The edited configuration takes its place.
    Copy-Item (Join-Path $here @EDITED@) $Config
}

# Addresses are read only when the service starts.
Restart-Service $service[0].Name

# Shows what is bound now.
& netsh http show sslcert
"""
