//! Who makes what.

use super::numbers;

numbers! {
    /// IANA enterprise number of a maker or standards body; 20 bits in Get Device ID (§20.1, table 20-2).
    pub struct EnterpriseNumber(u32) {
        IBM = 0x000002 => "IBM",
        HP = 0x00000b => "Hewlett-Packard",
        SUN = 0x00002a => "Sun Microsystems",
        BULL = 0x00006b => "Bull",
        HITACHI = 0x000074 => "Hitachi",
        NEC = 0x000077 => "NEC",
        TOSHIBA = 0x0000ba => "Toshiba",
        INTEL = 0x000157 => "Intel",
        DELL = 0x0002a2 => "Dell",
        HUAWEI = 0x0007db => "Huawei",
        ASUS = 0x000a3f => "ASUSTeK",
        RADISYS = 0x0010f1 => "RadiSys",
        BROADCOM = 0x00113d => "Broadcom",
        ASF = 0x0011be => "Alert Standard Forum",
        NVIDIA = 0x001647 => "NVIDIA",
        TYAN = 0x0019fd => "Tyan",
        QUANTA = 0x001c4c => "Quanta",
        ADVANTECH = 0x002839 => "Advantech",
        FUJITSU = 0x002880 => "Fujitsu",
        AVOCENT = 0x0028b2 => "Avocent",
        PEPPERCON = 0x0028c5 => "Peppercon",
        SUPERMICRO = 0x002a7c => "Supermicro",
        GOOGLE = 0x002b79 => "Google",
        PICMG = 0x00315a => "PICMG",
        KONTRON = 0x003a98 => "Kontron",
        GIGABYTE = 0x003c0a => "Gigabyte",
        LENOVO = 0x004a66 => "Lenovo",
        IBM_20301 = 0x004f4d => "IBM",
        INVENTEC = 0x005059 => "Inventec",
        AMI = 0x0051ee => "American Megatrends",
        ADLINK = 0x005f13 => "ADLINK",
        VITA = 0x0081ac => "VITA Standards Organization",
        INSPUR = 0x009439 => "Inspur",
        HPE = 0x00b85c => "Hewlett Packard Enterprise",
        SUPERMICRO_47488 = 0x00b980 => "Supermicro",
        ASROCK = 0x00c1d6 => "ASRock Rack",
        YADRO = 0x00c269 => "YADRO",
        OPENBMC = 0x00c2cf => "OpenBMC Project",
    }
}
